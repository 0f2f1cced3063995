"""Workers of IllustrationOperator killed by SIGKILL in every state, and the Dag run again; then the ledger is read."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import forked
import pytest
from drawing import names, receipt
from migrated import migrated
from patience import HELD, PATIENCE, until

pytestmark = pytest.mark.integration

DAG = Path(__file__).with_name("dags") / "talecraft_draw_once.py"
RUNS = {"the same run": "2026-01-02", "another run": "2026-01-03"}

#: task: its state when it is run again, and how often its prompt was charged in the end
EXPECTED = {
    "asked": ("success", 1),
    "sent": ("success", 2),
    "answered": ("success", 1),
    "fetched": ("success", 1),
    "stored": ("success", 1),
    "described": ("success", 1),
    "asked_never_twice": ("failed", 0),
    "sent_never_twice": ("failed", 1),
}
#: The receipt that a worker leaves, and whether the picture stands.
LEFT = {
    "asked": ("asked", False), "sent": ("asked", False), "answered": ("answered", False),
    "fetched": ("fetched", False), "stored": ("fetched", True), "described": ("stored", True),
}  # fmt: skip

#: Says "here" in a file, and stops; whoever waits for that kills it.
STOPPING = """
import sys, time
from pathlib import Path
from airflow_provider_talecraft.operators import base
from airflow_provider_talecraft.pictures.place import ObjectLocation

base.MARGIN = -300.0  # with the read timeout below: a request is over a second after it began
put = ObjectLocation.put
point, mark = sys.argv[1].removesuffix("_never_twice"), Path(sys.argv[2])
STATES = {"asked": b'"state": "asked"', "answered": b'"state": "answered"', "fetched": b'"state": "fetched"',
          "stored": None, "described": b'"state": "stored"'}

def stop_behind(self, source, **options):
    put(self, source, **options)
    state = STATES.get(point, b"no such state")
    if state in source if state and isinstance(source, bytes) else not state and str(self).endswith(".jpeg"):
        mark.write_text("here")
        time.sleep(600)

ObjectLocation.put = stop_behind
"""
RUNNING = """
import inspect, json, os, sys
from datetime import datetime, timezone
from airflow.models import DagBag
dag_id, date = sys.argv[3:]
dag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).get_dag(dag_id)
date = datetime.fromisoformat(date).replace(tzinfo=timezone.utc)
newer = "logical_date" in inspect.signature(dag.test).parameters
# The run's id is made of it.
run = dag.test(run_after=date, logical_date=date) if newer else dag.test(execution_date=date)
print("STATES", json.dumps({ti.task_id: str(getattr(ti.state, "value", ti.state)) for ti in run.get_task_instances()}))
"""
DRAWING = """
import sys
sys.path[:0] = sys.argv[5:]
from drawing import draw
draw(sys.argv[3], dst_conn_id=sys.argv[4] or None, name="cover")
"""


@pytest.fixture(scope="module")
def sandbox():
    from airflow_provider_talecraft.sandbox import Sandbox

    with Sandbox(latency=0) as running:
        yield running


@pytest.fixture(scope="module")
def airflow_home(tmp_path_factory):
    """An AIRFLOW_HOME with the Dags and an empty database, to be copied."""
    home = tmp_path_factory.mktemp("airflow-home")
    (home / "dags").mkdir()
    shutil.copy(DAG, home / "dags")
    return migrated(home)


def environment(home, sandbox=None, folder="", only=""):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    connection = {"conn_type": "talecraft", "extra": {"connect_timeout": 1, "read_timeout": 300}}
    if sandbox:
        connection |= {"host": sandbox.url, "password": sandbox.api_key}
    return {
        **inherited,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": f"{home}/dags",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_TALECRAFT_DEFAULT": json.dumps(connection),
        "TALECRAFT_TEST_FOLDER": f"file://{folder}",
        "TALECRAFT_TEST_ONLY": only,
    }


def run(code, arguments, env, log):
    process = forked.start(code, arguments, env, log)
    process.join(PATIENCE)
    assert process.exitcode == 0, log.read_text()[-8000:]
    return log.read_text()


def kill_each(processes):
    """Kill each process, with all that it started, as soon as its condition holds."""
    waiting = list(processes)

    def all_are_killed():
        for process, condition in [pair for pair in waiting if pair[1]()]:
            assert process.is_alive(), "it ended before it was killed"
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
            waiting.remove((process, condition))
        for process, _ in waiting:
            assert process.is_alive(), "it ended before it came to the point"
        return not waiting

    try:
        until(all_are_killed, "they did not come to the point", pause=0.05)
    finally:
        for process, _ in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.join()


def charges(sandbox):
    return Counter(charge["prompt"] for charge in sandbox.ledger()["charges"])


def prompt(point):
    return f"A fox, killed when {point}."


def is_on_its_way(sandbox, point):
    """Return whether the request was charged, and is not answered."""
    return charges(sandbox)[prompt(point)] == 1


@pytest.fixture(scope="module")
def killed(tmp_path_factory, airflow_home, sandbox):
    """The folder that the killed workers left, and what was charged so far."""
    work = tmp_path_factory.mktemp("killed")
    sandbox.faults([{"prompt": prompt(point), "delay_after_charge": HELD} for point in EXPECTED if point[:4] == "sent"])
    processes = []
    for point in EXPECTED:
        home = work / f"home-{point}"
        shutil.copytree(airflow_home, home)
        process = forked.start(
            STOPPING + RUNNING, [point, str(work / point), "talecraft_draw_once", RUNS["the same run"]],
            environment(home, sandbox, work / "pictures", only=point), work / f"{point}.log",
        )  # fmt: skip
        sent = partial(is_on_its_way, sandbox, point) if point.startswith("sent") else (work / point).exists
        processes.append((process, sent))
    kill_each(processes)
    return work / "pictures", charges(sandbox)


@pytest.fixture(scope="module", params=RUNS)
def run_again(request, tmp_path_factory, airflow_home, sandbox, killed):
    """The Dag run again over a copy of what the killed workers left: states, charges in all, folder, output."""
    left, before = killed
    work = tmp_path_factory.mktemp("again")
    shutil.copytree(left, work / "pictures")
    shutil.copytree(airflow_home, work / "home")
    already = charges(sandbox)
    arguments = ["never", "", "talecraft_draw_once", RUNS[request.param]]
    output = run(STOPPING + RUNNING, arguments, environment(work / "home", sandbox, work / "pictures"), work / "log")
    states = json.loads(output.partition("STATES ")[2].splitlines()[0])
    return states, before + (charges(sandbox) - already), work / "pictures", output


@pytest.mark.parametrize("point", LEFT)
def test_a_killed_worker_leaves_a_receipt_that_says_how_far_it_came(killed, point):
    state, stands = LEFT[point]
    folder = killed[0] / point
    assert receipt(folder / "cover.json")["state"] == state
    assert ("cover.jpeg" in names(folder)) == stands
    assert killed[1][prompt(point)] == (0 if point == "asked" else 1)


@pytest.mark.parametrize("point", EXPECTED)
def test_run_again_everything_is_charged_once_but_what_was_on_its_way(run_again, point):
    states, charged, folder, output = run_again
    state, count = EXPECTED[point]
    assert states[point] == state, output[-6000:]
    assert charged[prompt(point)] == count
    if state == "success":
        assert names(folder / point) == ["cover.jpeg", "cover.json"]
        assert receipt(folder / point / "cover.json")["state"] == "stored"
        assert receipt(folder / point / "cover.json")["replays"] == (1 if point in {"asked", "sent"} else 0)


def test_what_is_not_sent_again_names_the_time_and_the_receipt(run_again):
    _, _, folder, output = run_again
    for point in ("asked_never_twice", "sent_never_twice"):
        (moment,) = receipt(folder / point / "cover.json")["unanswered"]
        assert moment in output
        assert f"{point}/cover.json and clear the task" in output


def test_in_every_store_a_picture_that_a_killed_worker_put_is_described_by_the_next_run(store, sandbox, tmp_path):
    sandbox.reset()
    env = {**environment(tmp_path / "home", sandbox), **store.environment}
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    arguments = [store.uri(""), store.conn_id or "", *paths]
    process = forked.start(STOPPING + DRAWING, ["stored", str(tmp_path / "here"), *arguments], env, tmp_path / "log")
    kill_each([(process, (tmp_path / "here").exists)])
    assert json.loads(store.read("cover.json"))["state"] == "fetched"
    assert set(store.objects()) == {"cover.jpeg", "cover.json"}
    time.sleep(1.1)  # what the killed worker had to itself is over
    run(STOPPING + DRAWING, ["never", "", *arguments], env, tmp_path / "log")
    assert json.loads(store.read("cover.json"))["state"] == "stored"
    assert len(sandbox.ledger()["charges"]) == 1


# Mapped


@pytest.fixture(scope="module")
def mapped(tmp_path_factory, airflow_home, sandbox):
    """The mapped Dag, run twice: the folder, the second run's database, and what was charged."""
    sandbox.reset()
    work = tmp_path_factory.mktemp("mapped")
    shutil.copytree(airflow_home, work / "home")
    for date in RUNS.values():
        arguments = ["never", "", "talecraft_mapped_once", date]
        output = run(
            STOPPING + RUNNING, arguments, environment(work / "home", sandbox, work / "pictures"), work / "log"
        )
        assert '"draw": "success"' in output, output[-6000:]
    return work / "pictures" / "mapped", work / "home" / "airflow.db", charges(sandbox)


def test_a_mapped_task_draws_each_prompt_once_however_often_its_dag_runs(mapped):
    folder, _, charged = mapped
    assert list(charged.values()) == [1, 1, 1]
    assert "A fox {{ conn.talecraft_default.password }}" in charged, "what an XCom brings is no template"
    assert names(folder) == sorted(f"page-{n}.{e}" for n in range(3) for e in ("jpeg", "json"))


def test_a_mapped_task_is_called_by_the_beginning_of_its_prompt(mapped, sandbox):
    with sqlite3.connect(mapped[1]) as database:
        query = "select rendered_map_index from task_instance where task_id = 'draw'"
        labels = {label for (label,) in database.execute(query)}
    assert labels == {
        "A fox {{ conn.talecraft_default.password }}",
        "An owl in the deep the deep the deep the deep the deep the …",
        "A cat",
    }
    assert sandbox.api_key not in "".join(labels)


def test_the_events_of_its_asset_say_where_the_picture_is_and_whether_it_was_paid_for(mapped):
    with sqlite3.connect(mapped[1]) as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master")}
        table = "asset_event" if "asset_event" in tables else "dataset_event"
        extras = [json.loads(extra) for (extra,) in database.execute(f"select extra from {table}")]
    if table == "dataset_event" and not extras:
        pytest.skip("dag.test() of Airflow 2.11 knows of no datasets")
    assert sorted(extra["drawn"] for extra in extras) == [False] * 3 + [True] * 3
    assert {extra["path"].rpartition("/")[2] for extra in extras} == {f"page-{n}.jpeg" for n in range(3)}

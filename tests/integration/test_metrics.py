"""The metrics, as they arrive at a StatsD server and at an OpenTelemetry receiver from tasks that ran for real."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from deployment import Deployment
from migrated import migrated
from packaging.version import Version
from patience import PATIENCE, until
from receivers import OpenTelemetry, StatsD

from airflow_provider_talecraft.sandbox import Sandbox

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DAGS = Path(__file__).with_name("dags")
HAS_SUPERVISOR = Version(version("apache-airflow")) >= Version("3.3")
FAULTS = [
    {"prompt": "Lost.", "drop": "after_charge"},
    {"prompt": "Refused.", "message": "insufficient credits", "times": None},
]

#: A task of tests/integration/dags/talecraft_metrics.py, and what it tells.
PICTURES = {"one": 1, "many": 3, "once": 1, "hook": 1}


def tags(task_id, **more):
    named = {"dag_id": "talecraft_metrics", "task_id": task_id, "conn_id": "talecraft_default", **more}
    return tuple(sorted(named.items()))


WANTED = {
    **{("talecraft.delivered", tags(task)): count for task, count in PICTURES.items()},
    **{("talecraft.credits", tags(task)): 2 * count for task, count in PICTURES.items()},
    **{("talecraft.picture_duration", tags(task)): count for task, count in PICTURES.items()},
    ("talecraft.wait_duration", tags("many", waits_for="turn")): 3,
    ("talecraft.unknown", tags("lost")): 1,
    ("talecraft.refused", tags("refused", error="insufficient_credits")): 1,
}


def connection(sandbox):
    return json.dumps({"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key})


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(latency=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def supervised(sandbox, tmp_path_factory):
    """Airflow with a scheduler, which has tasks run in processes of their own."""
    if not HAS_SUPERVISOR:
        pytest.skip("tests under a scheduler need Airflow 3.3; dag.test() is what tests those below it")
    home = tmp_path_factory.mktemp("airflow")
    with Deployment(home, DAGS, {"AIRFLOW_CONN_TALECRAFT_DEFAULT": connection(sandbox)}) as airflow:
        yield airflow


@pytest.mark.parametrize("kind", [StatsD, OpenTelemetry])
def test_what_a_schedulers_tasks_tell_arrives(supervised, sandbox, kind, tmp_path, monkeypatch):
    sandbox.reset()
    sandbox.faults(FAULTS)
    with kind() as receiver:
        supervised.stop("scheduler")
        monkeypatch.setattr(supervised, "environment", {**supervised.environment, **receiver.environment})
        supervised.start("scheduler")
        supervised.until(supervised._is_healthy, "the scheduler did not come back")
        supervised.run("talecraft_metrics", {"dst": f"file://{tmp_path}/"})
        assert receiver.until(WANTED) == WANTED
    assert len(sandbox.ledger()["charges"]) == sum(PICTURES.values()) + 1


def test_what_dag_test_tells_arrives(sandbox, tmp_path):
    sandbox.reset()
    sandbox.faults(FAULTS)
    with StatsD() as receiver:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            **receiver.environment,
            "AIRFLOW_HOME": str(migrated(tmp_path / "home")),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_TALECRAFT_DEFAULT": connection(sandbox),
        }
        code = (
            "from airflow.models import DagBag\n"
            f"bag = DagBag({str(DAGS / 'talecraft_metrics.py')!r})\n"
            f"bag.get_dag('talecraft_metrics').test(run_conf={{'dst': 'file://{tmp_path}/'}})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert receiver.until(WANTED) == WANTED, done.stdout[-3000:] + done.stderr[-3000:]
    # Neither a prompt nor the key is in any of the lines.
    assert not [line for line in receiver.lines if "Many" in line or sandbox.api_key in line]


EXPORTER = shutil.which("statsd_exporter")


@pytest.mark.skipif(not EXPORTER, reason="statsd_exporter is not in PATH (Debian 12 has no package of it)")
def test_the_exporter_makes_the_documented_names_of_the_lines(tmp_path):
    ports = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    command = [
        EXPORTER, f"--statsd.mapping-config={ROOT / 'docs/monitoring/statsd-exporter.yaml'}", "--statsd.listen-tcp=",
        f"--statsd.listen-udp=127.0.0.1:{ports[0]}", f"--web.listen-address=127.0.0.1:{ports[1]}",
    ]  # fmt: skip
    lines = [
        "airflow.talecraft.delivered,dag_id=d,task_id=t,conn_id=c:1|c",
        "airflow.talecraft.refused,dag_id=d,task_id=t,conn_id=c,error=rate_limit:1|c",
        "airflow.talecraft.picture_duration,dag_id=d,task_id=t,conn_id=c:12500|ms",
        "airflow.talecraft.wait_duration,dag_id=d,task_id=t,conn_id=c,waits_for=turn:250|ms",
    ]
    wanted = {
        'talecraft_delivered_total{conn_id="c",dag_id="d",task_id="t"} 1',
        'talecraft_refused_total{conn_id="c",dag_id="d",error="rate_limit",task_id="t"} 1',
        'talecraft_picture_seconds_bucket{conn_id="c",dag_id="d",task_id="t",le="10"} 0',
        'talecraft_picture_seconds_bucket{conn_id="c",dag_id="d",task_id="t",le="15"} 1',
        'talecraft_picture_seconds_sum{conn_id="c",dag_id="d",task_id="t"} 12.5',
        'talecraft_wait_seconds_bucket{conn_id="c",dag_id="d",task_id="t",waits_for="turn",le="0.5"} 1',
    }
    is_sent = False

    def all_are_found():
        nonlocal is_sent
        with suppress(URLError, ConnectionError):
            with urlopen(f"http://127.0.0.1:{ports[1]}/metrics", timeout=PATIENCE) as answer:
                found = set(answer.read().decode().splitlines())
            if not is_sent:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    for line in lines:
                        sender.sendto(line.encode(), ("127.0.0.1", ports[0]))
                is_sent = True
            return wanted <= found
        return False

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as exporter:
        try:
            until(all_are_found)
        finally:
            exporter.terminate()

"""The link "Illustration" after a real run: over Airflow 3's REST API, and as Airflow 2.11's page works it out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import pytest
from migrated import migrated
from packaging.version import Version
from patience import PATIENCE

pytestmark = pytest.mark.integration

OLD = Version(version("apache-airflow")) < Version("3.3")
DAG = Path(__file__).with_name("dags") / "talecraft_links.py"

#: What the webserver of 2.11 has: the Dag as it is kept, and the database.
LOOK = f"""
import json
from airflow.models import DagBag
from airflow.serialization.serialized_objects import SerializedDAG
dag = DagBag({str(DAG)!r}, include_examples=False).get_dag("talecraft_links")
run = dag.test(run_conf={{"folder": FOLDER}})
kept = SerializedDAG.from_dict(SerializedDAG.to_dict(dag))
for ti in run.get_task_instances():
    link = kept.get_task(ti.task_id).get_extra_links(ti, "Illustration")
    print("LINK", json.dumps([ti.task_id, ti.map_index, ti.state, link]))
"""


def on_airflow_2(home, sandbox):
    """Run the Dag under ``dag.test()``; return each task instance's state and link."""
    connection = {"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key}
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAG.parent),
        "AIRFLOW_CONN_TALECRAFT_DEFAULT": json.dumps(connection),
    }
    code = LOOK.replace("FOLDER", repr(f"file://{home}/pictures"))
    migrated(home)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    seen = [json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("LINK ")]
    assert seen, done.stdout[-3000:] + done.stderr[-3000:]
    return {(task_id, map_index): (state, link or None) for task_id, map_index, state, link in seen}


def on_airflow_3(home, deployment):
    """Run the Dag under the scheduler; return each task instance's state and link."""
    run_id, _ = deployment.run("talecraft_links", {"folder": f"file://{home}/pictures"})
    seen = {}
    for (task_id, map_index), ti in deployment.task_instances("talecraft_links", run_id).items():
        path = f"/dags/talecraft_links/dagRuns/{quote(run_id)}/taskInstances/{task_id}/links?map_index={map_index}"
        seen[task_id, map_index] = (ti["state"], deployment.api(path)["extra_links"].get("Illustration"))
    return seen


@pytest.fixture(scope="module")
def links(request, tmp_path_factory, keyed_sandbox):
    """State and link of each task instance of one run."""
    home = tmp_path_factory.mktemp("links")
    if OLD:
        return on_airflow_2(home, keyed_sandbox)
    return on_airflow_3(home, request.getfixturevalue("deployment"))


@pytest.mark.parametrize("task", [("drawn", -1), ("drawn_once", -1), ("mapped", 0), ("mapped", 1)])
def test_a_drawn_picture_is_linked(links, keyed_sandbox, task):
    state, link = links[task]
    assert state == "success"
    assert link.startswith(f"{keyed_sandbox.url}/uploads/illustrations/")


def test_mapped_ones_have_each_their_own(links):
    assert links["mapped", 0] != links["mapped", 1]


def test_a_stored_picture_is_linked_where_it_was_fetched_if_airflow_says_where(links):
    # Airflow 2.11 asks on a page that does not know what the task was run with.
    assert links["stored", -1] == ("success", None if OLD else links["drawn", -1][1])


def test_a_batch_and_a_task_that_failed_have_none(links):
    assert links["batch", -1] == ("success", None)
    assert links["refused", -1] == ("failed", None)

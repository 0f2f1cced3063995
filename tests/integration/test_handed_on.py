"""Text that an XCom brings is data, however a Dag hands it on: a real run, and a host that records requests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import read_head, server
from migrated import migrated
from patience import PATIENCE
from pictures import picture

pytestmark = pytest.mark.integration

DAG = Path(__file__).with_name("dags") / "talecraft_handed_on.py"
KEY = "tc-key-that-must-not-be-asked-for"
JPEG = picture()
STOLEN = "%7B%7B%20conn.talecraft_default.password%20%7D%7D"

STORED = (
    "plain", "pulled", "illustration", "expand", "expand_illustration", "expand_kwargs", "expand_kwargs_illustration",
    "list_of_xcoms", "mapping_of_xcom", "map", "zip", "partial", "batch", "group",
)  # fmt: skip
ASKED = {
    "draw_plain": ["draw_plain {{ conn.talecraft_default.password }}"],
    "draw_expand": ["draw_expand {{ conn.talecraft_default.password }}", "draw_expand.prompt"],
    "draw_expand_kwargs": ["draw_expand_kwargs {{ conn.talecraft_default.password }}", "draw_expand_kwargs.prompt"],
    "draw_batch": ["draw_batch {{ conn.talecraft_default.password }}", "draw_batch.prompt"],
    "draw_batch_kwargs": ["draw_batch_kwargs {{ conn.talecraft_default.password }}", "draw_batch_kwargs.prompt"],
    # What the Dag's author wrote is a template.
    "draw_authors": ["draw_authors 2"],
    "draw_authors_list": ["draw_authors_list 2"],
}


def backend(home):
    """Return the settings of Airflow's own XCom backend for object stores, for values of any size."""
    return {
        "AIRFLOW__CORE__XCOM_BACKEND": "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend",
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH": f"file://{home}/xcoms",
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD": "0",
    }


@pytest.fixture(scope="module", params=[lambda _: {}, backend], ids=["database", "backend"])
def run(request, tmp_path_factory):
    """Run the Dag once; return the paths the host was asked for, the prompts that were drawn, and what is left."""
    from airflow_provider_talecraft.sandbox import Sandbox

    home = tmp_path_factory.mktemp("handed-on")
    paths = []

    def handle(connection):
        paths.append(read_head(connection).split()[1])
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(JPEG) + JPEG)

    with Sandbox(latency=0, api_keys=(KEY,)) as sandbox, server(handle, times=99) as (port, _):
        connection = {
            "conn_type": "talecraft", "host": sandbox.url, "password": KEY, "extra": {"requests_per_minute": 6000},
        }  # fmt: skip
        environment = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(DAG.parents[3]),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAG.parent),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_TALECRAFT_DEFAULT": json.dumps(connection),
            "TALECRAFT_TEST_HOST": f"http://127.0.0.1:{port}",
            "TALECRAFT_TEST_FOLDER": str(home / "pictures"),
            **request.param(home),
        }
        bag = f"from airflow.models import DagBag; bag = DagBag({str(DAG)!r})"
        test = f"{bag}; print(bag.get_dag('talecraft_handed_on').test().state)"
        done = subprocess.run(
            [sys.executable, "-c", test], env=environment, cwd=migrated(home),
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        prompts = [charge["prompt"] for charge in sandbox.ledger()["charges"]]
    assert (home / "xcoms").exists() == (request.param is backend)
    return {"paths": paths, "prompts": prompts, "home": home, "output": done.stdout + done.stderr}


def test_the_run_succeeds(run):
    assert "\nsuccess\n" in run["output"], run["output"][-8000:]


@pytest.mark.parametrize("way", STORED)
def test_a_url_from_an_xcom_is_asked_for_as_it_is(run, way):
    assert f"/{way}/{STOLEN}.jpeg" in run["paths"]
    assert list((run["home"] / "pictures" / "talecraft_handed_on" / way).glob("*.jpeg"))


@pytest.mark.parametrize("way", ASKED)
def test_a_prompt_from_an_xcom_is_drawn_as_it_is_and_an_authors_is_rendered(run, way):
    assert sorted(prompt for prompt in run["prompts"] if prompt.split()[0].split(".")[0] == way) == sorted(ASKED[way])


def test_a_prompt_in_metadata_stands_in_the_sidecar_as_it_is(run):
    (sidecar,) = (run["home"] / "pictures" / "talecraft_handed_on" / "metadata").glob("*.json")
    assert json.loads(sidecar.read_text())["prompt"] == "metadata {{ conn.talecraft_default.password }}"


def test_the_key_is_nowhere_in_what_the_run_leaves_behind(run):
    assert KEY not in " ".join(run["paths"]) + run["output"]
    for path in run["home"].rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path

"""The example Dags, as they stand in example_dags/, under ``dag.test()`` over the sandbox."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from servers import BUCKET

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "example_dags"
#: Needs ApprovalOperator; it runs in test_book.py.
NOT_BELOW_3_1 = {"talecraft_book"}


@pytest.fixture(scope="session")
def _database():
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True, timeout=120)


@pytest.fixture
def run_example(_database, connected, tmp_path):
    """Run an example by its Dag id; return the run's state and the folder its pictures are in."""
    from airflow.models import DagBag

    def run(dag_id, **conf):
        bag = DagBag(str(EXAMPLES))
        assert {Path(path).stem for path in bag.import_errors} <= NOT_BELOW_3_1
        run = bag.get_dag(dag_id).test(run_conf={"destination": f"file://{tmp_path}", **conf})
        return run.state, tmp_path / run.run_id

    return run


def test_the_quickstart_draws_one_prompt_into_one_file(run_example, connected):
    state, folder = run_example("talecraft_quickstart", prompt="A whale reads the news")
    assert state == "success"
    (charge,) = connected.ledger()["charges"]
    assert (charge["prompt"], charge["aspect_ratio"]) == ("A whale reads the news", "16:9")
    (picture,) = folder.glob("*.jpeg")
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")
    sidecar = json.loads(picture.with_name(f"{picture.name}.json").read_text())
    assert (sidecar["prompt"], sidecar["id"]) == ("A whale reads the news", picture.stem)
    assert (sidecar["dag_id"], sidecar["task_id"], sidecar["run_id"]) == ("talecraft_quickstart", "store", folder.name)


def test_the_storybook_draws_every_page_once_and_shows_all_in_an_index(run_example, connected):
    state, folder = run_example("talecraft_storybook")
    assert state == "success"
    charges = connected.ledger()["charges"]
    pictures = {path.name for path in folder.glob("*.jpeg")}
    assert len(charges) == len(pictures) == 6
    index = (folder / "index.html").read_text()
    assert all(charge["prompt"] in index for charge in charges)
    assert all(f'src="{name}"' in index for name in pictures)


def test_a_prompt_is_data_in_templates_and_in_the_index(run_example, connected):
    hostile = ["<script>alert('{{ ds }}')</script>", "{{ 1/0 }} {% raw %}", "ends in .prompt"]
    state, folder = run_example("talecraft_storybook", title="<b>&", pages=hostile)
    assert state == "success"
    assert sorted(charge["prompt"] for charge in connected.ledger()["charges"]) == sorted(hostile)
    index = (folder / "index.html").read_text()
    assert "<script>" not in index
    assert "<b>" not in index
    assert "&lt;script&gt;" in index


def test_the_pages_of_the_index_are_in_the_order_of_the_prompts(run_example):
    pages = [f"page number {number}" for number in range(4)]
    _, folder = run_example("talecraft_storybook", pages=pages)
    index = (folder / "index.html").read_text()
    assert [index.index(page) for page in pages] == sorted(index.index(page) for page in pages)


def test_a_refused_page_fails_the_run_and_spends_nothing_on_it(run_example, connected):
    connected.fault(prompt="the second", message="insufficient credits")
    state, folder = run_example("talecraft_storybook", pages=["the first", "the second"])
    assert state == "failed"
    assert [charge["prompt"] for charge in connected.ledger()["charges"]] == ["the first"]
    assert not (folder / "index.html").exists()


#: The example of each store: its connection, and what it calls a bucket.
STORES = {
    "s3": ("aws_default", "bucket"),
    "gcs": ("google_cloud_default", "bucket"),
    "azure": ("wasb_default", "container"),
}


def test_each_stores_example_puts_the_picture_and_its_description_there(store, run_example, connected, monkeypatch):
    if store.name not in STORES:
        pytest.skip("the quickstart is the local folder's")
    conn_id, bucket = STORES[store.name]
    (own,) = [value for name, value in store.environment.items() if name.startswith("AIRFLOW_CONN_")]
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", own)
    state, folder = run_example(f"talecraft_to_{store.name}", **{bucket: f"{BUCKET}/{store.folder}"})
    assert state == "success"
    (charge,) = connected.ledger()["charges"]
    picture = f"{folder.name}/{charge['id']}.jpeg"
    assert set(store.objects()) == {picture, f"{picture}.json"}
    assert store.read(picture).startswith(b"\xff\xd8\xff")
    assert store.content_type(picture) == "image/jpeg"
    assert json.loads(store.read(f"{picture}.json"))["prompt"] == charge["prompt"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_imports_only_what_every_supported_airflow_has(path):
    if path.stem in NOT_BELOW_3_1:
        pytest.skip("its approval step came with Airflow 3.1")
    modules = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    assert {name for name in modules if name.startswith("airflow.")} == {"airflow.providers.common.compat.sdk"}

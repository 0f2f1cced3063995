"""The Dags of the README and of the reference, as they stand there, over the sandbox. Only the folder is changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
FIRST, MAPPED, BATCH = (
    snippet
    for page in ("README.md", "docs/reference/operators.md")
    for snippet in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
)
HEAD = """
from datetime import datetime
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_talecraft.operators.illustration import *
with DAG("readme_{name}", schedule=None, start_date=datetime(2026, 1, 1)) as dag:
"""


@pytest.fixture
def run_code(connect, sandbox, tmp_path, monkeypatch):
    """Run a snippet as a Dag of a Dag file; return the pictures and their prompts."""
    connect(host=sandbox.url, password=sandbox.api_key, extra={"requests_per_minute": 600})

    def run(name, code):
        from airflow.models import DagBag

        if "with DAG" not in code:
            code = HEAD.format(name=name) + re.sub("^", "    ", code, flags=re.MULTILINE)
        # Airflow 3 looks for a Dag in the folder of Dags.
        file = tmp_path / f"{name}.py"
        file.write_text(code.replace("file:///tmp/", f"file://{tmp_path}/"))
        monkeypatch.setattr("airflow.settings.DAGS_FOLDER", str(tmp_path))
        bag = DagBag(str(file))
        assert not bag.import_errors
        (dag,) = bag.dags.values()
        assert dag.test().state == "success"
        pictures = sorted(path for path in tmp_path.rglob("*.jpeg"))
        return [(path.stem, json.loads(path.with_suffix(".json").read_text())["prompt"]) for path in pictures]

    return run


def test_the_first_dag_run_again_finds_the_picture_of_the_day_and_pays_nothing(run_code, sandbox):
    for _ in range(2):
        ((day, prompt),) = run_code("first", FIRST)
        assert prompt.endswith(day)
    assert len(sandbox.ledger()["charges"]) == 1


def test_the_mapped_tasks_end_in_stored_pictures_with_their_prompts(run_code, sandbox):
    for _ in range(2):
        assert sorted(prompt for _, prompt in run_code("mapped", MAPPED)) == ["A fox", "An owl"]
    assert len(sandbox.ledger()["charges"]) == 2


def test_the_batch_ends_in_stored_pictures_with_their_prompts(run_code, sandbox):
    for _ in range(2):
        pictures = dict(run_code("batch", BATCH))
        assert pictures.pop("cover") == "A fox at sea"
        assert list(pictures.values()) == ["A fox leaves home"]
    assert len(sandbox.ledger()["charges"]) == 2

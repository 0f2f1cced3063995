"""``airflow talecraft receipts`` and docs/receipts.md, over receipts that the operators wrote."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version
from patience import PATIENCE

pytestmark = pytest.mark.integration

DOCS = (Path(__file__).parents[2] / "docs" / "receipts.md").read_text()
COMMANDS = [
    pytest.param(
        ["-m", "airflow", "talecraft", "receipts"],
        id="airflow",
        marks=pytest.mark.skipif(
            Version(version("apache-airflow")) < Version("3.2"), reason="providers' commands came with Airflow 3.2"
        ),
    ),
    pytest.param(["-m", "airflow_provider_talecraft.cli.receipts"], id="python"),
]
TIME = "2026-11-26T01:02:03+00:00"


@pytest.fixture(params=COMMANDS)
def receipts(request):
    """Run the command; return its exit code, what it printed, and what it complained about."""

    def run(*arguments, **environment):
        done = subprocess.run(
            [sys.executable, *request.param, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False,
            env={**os.environ, **environment},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def draw(connected):
    """Draw prompts into a folder, as the operator does."""
    from types import SimpleNamespace

    from airflow_provider_talecraft.operators.illustration import IllustrationOperator

    def run(folder, *prompts, conn_id=None):
        for prompt in prompts:
            ti = SimpleNamespace(
                dag_id="dag", task_id="draw", run_id="run", map_index=-1, max_tries=0, try_number=1,
                xcom_push=lambda **_: None,
            )  # fmt: skip
            operator = IllustrationOperator(task_id="draw", prompt=prompt, dst=folder, dst_conn_id=conn_id)
            operator.execute({"ti": ti})

    return run


def edit(receipt, **facts):
    receipt.write_text(json.dumps({**json.loads(receipt.read_text()), **facts}))


def test_a_folder_and_all_in_it_is_added_up(receipts, draw, tmp_path):
    draw(f"file://{tmp_path}/books/", "A fox", "An owl")
    draw(f"file://{tmp_path}/books/more/", "A snail")
    code, printed, _ = receipts(f"file://{tmp_path}/books", "--output", "json")
    assert code == 0
    # Airflow 2 logs to stdout, too.
    assert json.loads(printed[printed.index("{\n") :]) == {
        "pictures": 3, "credits": 6, "paid_and_not_stored": [], "unanswered": [], "unreadable": [],
    }  # fmt: skip


def test_requests_without_an_answer_are_named_with_their_time_and_file(receipts, draw, tmp_path):
    draw(f"file://{tmp_path}/", "A fox", "An owl")
    first, second = sorted(tmp_path.glob("*.json"))
    edit(first, state="asked", unanswered=[TIME], credits=0)
    edit(second, state="fetched")
    code, printed, _ = receipts(f"file://{tmp_path}/")
    assert code == 0
    assert f"without an answer since {TIME}: file://{first}" in printed
    assert f"paid, not stored yet: file://{second}" in printed
    assert re.search(r"credits +2\n", printed)
    assert re.search(r"pictures +0\n", printed)


def test_what_cannot_be_read_is_named_and_the_exit_code_says_so(receipts, draw, tmp_path):
    draw(f"file://{tmp_path}/", "A fox", "An owl")
    first, _ = sorted(tmp_path.glob("*.json"))
    edit(first, state="nonsense")
    (tmp_path / "broken.json").write_text('{"talecraft_receipt": 1,')
    (tmp_path / "sidecar.json").write_text('{"prompt": "stored by another operator"}')
    code, printed, _ = receipts(f"file://{tmp_path}/")
    assert code == 1
    assert f"unreadable: file://{first}\n" in printed
    assert f"unreadable: file://{tmp_path}/broken.json\n" in printed
    assert "sidecar" not in printed
    assert re.search(r"credits +2\n", printed), "the others are added up"


def test_a_folder_that_cannot_be_read_is_an_error_and_not_nothing(receipts, tmp_path):
    for prefix in (f"file://{tmp_path}/nowhere", "nonsense"):
        code, _, complaint = receipts(prefix)
        assert code == 1
        assert f"{prefix} cannot be read" in complaint


def test_what_a_store_says_of_itself_moves_no_terminal(receipts):
    code, printed, complaint = receipts("no\x1b]0;owned\x07such://folder")
    assert code == 1
    assert "cannot be read" in complaint
    assert not {"\x1b", "\x07"} & {*printed, *complaint}


def test_it_reads_every_store(store, draw):
    draw(store.uri("books/"), "A fox", conn_id=store.conn_id)
    from airflow_provider_talecraft.spending.account import Account

    account = Account.of(store.root, conn_id=store.conn_id)
    assert (account.pictures, account.credits, account.unreadable) == (1, 2, [])


def test_the_fields_on_the_page_are_those_of_a_receipt_in_all_its_states(draw, tmp_path, connected):
    table = DOCS.partition("## Fields\n")[2].partition("\n## ")[0]
    fields = dict(re.findall(r"^\| `(\w+)` \| (\w+)", table, re.MULTILINE))
    draw(f"file://{tmp_path}/", "A fox")
    (receipt,) = tmp_path.glob("*.json")
    facts = json.loads(receipt.read_text())
    passing = {"image_url", "busy_until", "replaces"}
    assert set(facts) == set(fields) - passing
    kinds = {"text": str, "integer": int, "list": list}
    for name, value in facts.items():
        assert type(value) is kinds[fields[name]], name
    example = json.loads(re.search(r"```json\n(.*?)```", DOCS, re.DOTALL).group(1))
    assert list(example) == list(facts), "the example has the fields in their order"
    assert connected.api_key not in receipt.read_text()


def test_the_states_on_the_page_are_the_codes():
    from airflow_provider_talecraft.spending.form import STATES

    table = DOCS.partition("## States\n")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == STATES


def test_the_script_on_the_page_adds_up_a_folder(draw, tmp_path):
    draw(f"file://{tmp_path}/", "A fox", "An owl")
    (script,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout.strip() == "4 credits"


def test_the_command_is_light_to_import():
    code = (
        "import sys; import airflow_provider_talecraft.cli.receipts; print([n for n in sys.modules if 'airflow.' in n])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.strip() == "[]"

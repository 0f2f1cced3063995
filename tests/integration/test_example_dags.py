"""The example Dags, as they stand in example_dags/, under ``dag.test()`` over the sandbox."""

from __future__ import annotations

import ast
import json
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "example_dags"
#: Needs ApprovalOperator; it runs in test_book.py.
NOT_BELOW_3_1 = {"talecraft_book"}

NO_LOGICAL_DATE = Version(version("apache-airflow")) >= Version("3")
#: What dag.test() calls it.
DATE = "logical_date" if NO_LOGICAL_DATE else "execution_date"


@pytest.fixture
def run_example(connected, tmp_path):
    """Run an example by its Dag id; return the run's state and the folder its pictures are in."""
    from airflow.models import DagBag

    if not NO_LOGICAL_DATE:
        # To run a date again, dag.test() deletes a run, and then has to know of users.
        import airflow.providers.fab.auth_manager.models  # noqa: F401

    def run(dag_id, *, logical_date=..., **conf):
        bag = DagBag(str(EXAMPLES))
        assert {Path(path).stem for path in bag.import_errors} <= NOT_BELOW_3_1
        when = {} if logical_date is ... else {DATE: logical_date}
        run = bag.get_dag(dag_id).test(run_conf={"destination": f"file://{tmp_path}", **conf}, **when)
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


def test_the_storybook_draws_every_page_once_and_shows_all_in_an_index(run_example, connected, tmp_path):
    state, _ = run_example("talecraft_storybook")
    assert state == "success"
    charges = connected.ledger()["charges"]
    pictures = {path.name for path in tmp_path.glob("*.jpeg")}
    assert len(charges) == len(pictures) == 6
    index = (tmp_path / "index.html").read_text()
    assert all(charge["prompt"] in index for charge in charges)
    assert all(f'src="{name}"' in index for name in pictures)


def test_the_storybook_pays_for_new_pages_only(run_example, connected):
    for pages in (["A fox", "An owl"], ["A fox", "An owl", "A snail"]):
        assert run_example("talecraft_storybook", pages=pages)[0] == "success"
    assert len(connected.ledger()["charges"]) == 3


def test_a_prompt_is_data_in_templates_and_in_the_index(run_example, connected, tmp_path):
    hostile = ["<script>alert('{{ ds }}')</script>", "{{ 1/0 }} {% raw %}", "ends in .prompt"]
    state, _ = run_example("talecraft_storybook", title="<b>&", pages=hostile)
    assert state == "success"
    assert sorted(charge["prompt"] for charge in connected.ledger()["charges"]) == sorted(hostile)
    index = (tmp_path / "index.html").read_text()
    assert "<script>" not in index
    assert "<b>" not in index
    assert "&lt;script&gt;" in index


def test_the_pages_of_the_index_are_in_the_order_of_the_prompts(run_example, tmp_path):
    pages = [f"page number {number}" for number in range(4)]
    run_example("talecraft_storybook", pages=pages)
    index = (tmp_path / "index.html").read_text()
    assert [index.index(page) for page in pages] == sorted(index.index(page) for page in pages)


def test_a_refused_page_fails_the_run_and_spends_nothing_on_it(run_example, connected, tmp_path):
    connected.fault(prompt="the second", message="insufficient credits")
    state, _ = run_example("talecraft_storybook", pages=["the first", "the second"])
    assert state == "failed"
    assert [charge["prompt"] for charge in connected.ledger()["charges"]] == ["the first"]
    assert not (tmp_path / "index.html").exists()


def test_the_picture_goes_to_the_store_that_the_parameters_name_and_is_paid_for_once(store, run_example, connected):
    for _ in range(2):
        state, _ = run_example(
            "talecraft_to_object_storage", destination=store.root, conn_id=store.conn_id or "", prompt="A gull"
        )
        assert state == "success"
    (charge,) = connected.ledger()["charges"]
    picture, receipt = sorted(store.objects())
    assert (Path(picture).suffix, Path(receipt).suffix) == (".jpeg", ".json")
    assert store.read(picture).startswith(b"\xff\xd8\xff")
    assert store.content_type(picture) in {"image/jpeg", None}
    facts = json.loads(store.read(receipt))
    assert (facts["prompt"], facts["id"], facts["file"]) == ("A gull", charge["id"], picture)


def test_the_decorated_function_draws_a_postcard_for_each_city_once(run_example, connected, tmp_path):
    cities = ["Lisbon", "{{ ds }}"]
    for _ in range(2):
        assert run_example("talecraft_decorator", cities=cities)[0] == "success"
    prompts = sorted(charge["prompt"] for charge in connected.ledger()["charges"])
    assert [prompt.split(",")[0] for prompt in prompts] == ["A postcard from Lisbon", "A postcard from {{ ds }}"]
    assert len(list(tmp_path.glob("*.jpeg"))) == 2
    assert (tmp_path / "Lisbon.jpeg").exists()


DAYS = [datetime(2026, 3, day, tzinfo=timezone.utc) for day in range(1, 11)]


def test_ten_days_run_twice_cost_ten_pictures_of_the_day(run_example, connected, tmp_path):
    for _ in range(2):
        for day in DAYS:
            assert run_example("talecraft_daily", logical_date=day)[0] == "success"
    assert len(connected.ledger()["charges"]) == 10
    days = [f"{day:%Y-%m-%d}" for day in DAYS]
    assert sorted(path.stem for path in tmp_path.glob("*.jpeg")) == days
    for day in days:
        assert day in json.loads((tmp_path / f"{day}.json").read_text())["prompt"]


@pytest.mark.skipif(not NO_LOGICAL_DATE, reason="every run of Airflow 2 has a logical date")
def test_a_run_without_a_logical_date_is_the_picture_of_the_day_on_which_it_is_run(run_example, connected, tmp_path):
    today = datetime.now(timezone.utc)
    for run_date in (today.replace(hour=0, minute=0, second=0, microsecond=0), None, None):
        assert run_example("talecraft_daily", logical_date=run_date)[0] == "success"
    assert [charge["prompt"][-10:] for charge in connected.ledger()["charges"]] == [f"{today:%Y-%m-%d}"]


@pytest.fixture
def catalogue(postgres, monkeypatch):
    """The table, empty."""
    monkeypatch.setenv("AIRFLOW_CONN_CATALOGUE_DEFAULT", json.dumps(postgres.connection()))
    postgres.ask("TRUNCATE products")
    return postgres


def pictures_by_sku(catalogue):
    return dict(catalogue.ask("SELECT sku, picture FROM products"))


def test_a_catalogue_pays_for_new_rows_only_and_knows_where_their_pictures_are(
    catalogue, run_example, connect, sandbox
):
    connect(host=sandbox.url, password=sandbox.api_key, extra={"requests_per_minute": 600})
    hostile = "'); DROP TABLE products; -- {{ 1/0 }} 100 %s"
    for sku, description in [("A-1", "A teapot"), ("B'2", hostile)]:
        catalogue.ask("INSERT INTO products VALUES (%s, %s)", sku, description)
    assert run_example("talecraft_catalogue")[0] == "success"
    assert sorted(charge["prompt"] for charge in sandbox.ledger()["charges"]) == sorted(["A teapot", hostile])
    for path in pictures_by_sku(catalogue).values():
        assert Path(path.removeprefix("file://")).read_bytes().startswith(b"\xff\xd8\xff")
    catalogue.ask("INSERT INTO products VALUES ('C-3', 'A lamp')")
    assert run_example("talecraft_catalogue")[0] == "success"
    assert [charge["prompt"] for charge in sandbox.ledger()["charges"]][2:] == ["A lamp"]
    assert all(pictures_by_sku(catalogue).values())
    assert run_example("talecraft_catalogue")[0] == "success", "without new rows it is skipped"
    assert len(sandbox.ledger()["charges"]) == 3


def test_a_catalogue_keeps_what_could_be_drawn_and_the_next_run_draws_the_rest(
    catalogue, run_example, connect, sandbox
):
    connect(host=sandbox.url, password=sandbox.api_key, extra={"requests_per_minute": 600})
    for sku in "ABC":
        catalogue.ask("INSERT INTO products VALUES (%s, %s)", sku, f"Product {sku}")
    sandbox.fault(prompt="Product B", message="Generation failed")
    assert run_example("talecraft_catalogue")[0] == "success"
    assert [sku for sku, path in pictures_by_sku(catalogue).items() if not path] == ["B"]
    assert run_example("talecraft_catalogue")[0] == "success"
    assert all(pictures_by_sku(catalogue).values())
    assert len(sandbox.ledger()["charges"]) == 3


def test_the_paths_are_written_all_or_none_and_are_not_paid_for_again(catalogue, run_example, connect, sandbox):
    connect(host=sandbox.url, password=sandbox.api_key, extra={"requests_per_minute": 600})
    for sku in "AB":
        catalogue.ask("INSERT INTO products VALUES (%s, %s)", sku, f"Product {sku}")
    catalogue.ask("ALTER TABLE products ADD CONSTRAINT no CHECK (sku <> 'B' OR picture IS NULL)")
    try:
        assert run_example("talecraft_catalogue")[0] == "failed"
        assert not any(pictures_by_sku(catalogue).values())
    finally:
        catalogue.ask("ALTER TABLE products DROP CONSTRAINT no")
    assert run_example("talecraft_catalogue")[0] == "success"
    assert all(pictures_by_sku(catalogue).values())
    assert len(sandbox.ledger()["charges"]) == 2


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_imports_only_what_every_supported_airflow_has(path):
    if path.stem in NOT_BELOW_3_1:
        pytest.skip("its approval step came with Airflow 3.1")
    modules = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    assert {name for name in modules if name.startswith("airflow.")} == {"airflow.providers.common.compat.sdk"}

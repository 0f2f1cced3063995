"""What must hold on every Airflow: the wheel imports, Airflow finds what is in it, it draws once and stores.

noxfile.py runs it where there are the built wheel, one Airflow and pytest, and nothing else of the project.
"""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import metadata, version
from pathlib import Path

import pytest
from packaging.version import Version

from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY

PACKAGE = "airflow_provider_talecraft"
VERSIONS = Path(__file__).parents[2] / "docs" / "versions.md"
EXAMPLES = sorted((Path(__file__).parents[2] / "example_dags").glob("*.py"))
AIRFLOW = Version(version("apache-airflow"))
#: Modules of Airflow's pages: their Airflow has a FastAPI app, which this package's plugin mounts them into.
OF_AIRFLOW_3 = {f"{PACKAGE}.plugins.{name}" for name in ("app", "stored_picture", "task_output")}


def is_said_to_have(feature):
    """Return what docs/versions.md says about a feature, given by some of its words, on this line of Airflow."""
    head, *rows = (row.strip("|").split("|") for row in re.findall(r"^\|.*\|$", VERSIONS.read_text(), re.MULTILINE))
    (row,) = [row for row in rows if feature in row[0]]
    return row[[cell.strip() for cell in head].index(f"{AIRFLOW.major}.{AIRFLOW.minor}")].strip()[:3] == "yes"


def modules():
    package = import_module(PACKAGE)
    return [PACKAGE, *(found.name for found in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."))]


def test_airflow_names_the_pythons_that_the_documentation_has():
    named = {line.rpartition(" :: ")[2] for line in metadata("apache-airflow").get_all("Classifier")}
    (said,) = re.findall(rf"^\| {re.escape(str(AIRFLOW))} \| (3.*?) \|$", VERSIONS.read_text(), re.MULTILINE)
    # Older Pythons are not this package's.
    assert set(said.split(", ")) == {name for name in named if re.fullmatch(r"3\.\d\d", name)}


def test_what_is_tested_is_the_wheel():
    assert Path(import_module(PACKAGE).__file__).is_relative_to(sys.prefix)


@pytest.mark.parametrize("name", modules())
def test_every_module_can_be_imported(name):
    if name in OF_AIRFLOW_3 and Version("3") > AIRFLOW:
        with pytest.raises(ImportError, match=r"api_fastapi|XComModel"):
            import_module(name)
        pytest.skip("a page of Airflow 3; the plugin does not load it below")
    import_module(name)


def needed_by(example):
    """Return the oldest Airflow that takes an example. The example's own text says so."""
    said = re.search(r"needs Airflow (\d+\.\d+)", ast.get_docstring(ast.parse(example.read_text())))
    return Version(said[1] if said else "2.11")


def test_an_example_loads_on_the_airflow_that_it_says_it_needs(bag):
    refused = {example for example in EXAMPLES if needed_by(example) > AIRFLOW}
    assert {Path(path) for path in bag.import_errors} == refused, bag.import_errors
    assert {Path(dag.fileloc) for dag in bag.dags.values()} == set(EXAMPLES) - refused
    assert ("talecraft_book" in bag.dags) == is_said_to_have("approval")


def run(bag, dag_id, **conf):
    """Run an example to its end and return its run."""
    run = bag.get_dag(dag_id).test(run_conf=conf)
    assert run.state == "success"
    return run


def test_a_picture_is_generated_and_stored(bag, charges, tmp_path):
    run(bag, "talecraft_quickstart", prompt="A whale", destination=tmp_path.as_uri())
    assert charges() == ["A whale"]
    (picture,) = tmp_path.rglob("*.jpeg")
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")


def test_a_picture_is_drawn_once(bag, charges, tmp_path):
    for _ in range(2):
        run(bag, "talecraft_to_object_storage", prompt="A gull", destination=tmp_path.as_uri())
    assert charges() == ["A gull"]
    (picture,) = tmp_path.rglob("*.jpeg")
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")


def test_a_decorated_function_draws_for_each_of_its_arguments(bag, charges, tmp_path):
    drawn = run(bag, "talecraft_decorator", cities=["{{ ds }}"], destination=tmp_path.as_uri())
    (prompt,) = charges()
    assert prompt.startswith("A postcard from {{ ds }}")
    (label,) = [task.rendered_map_index for task in drawn.get_task_instances() if task.map_index >= 0]
    is_named = (label or "").startswith("A postcard from {{ ds }}")
    assert is_named == is_said_to_have("named by the beginning of its prompt")
    assert len(list(tmp_path.rglob("*.jpeg"))) == 1


def test_the_record_and_the_policy_are_there_where_the_documentation_says_so():
    assert HAS_RETRY_POLICY == is_said_to_have("a record of what was sent") == is_said_to_have("TaleCraftRetryPolicy")


def test_the_form_asks_for_an_api_key(api_server, login):
    # First of those who ask for hooks: Airflow 3.1 reads their fields while it stands in for FAB's, or not at all.
    forms = api_server.get("/ui/connections/hook_meta", headers=login).json()
    (form,) = [form for form in forms if form["connection_type"] == "talecraft"]
    assert form["standard_fields"]["password"]["title"] == "API key"
    assert "read_timeout" in form["extra_fields"]


def test_airflow_finds_connection_decorator_and_link(database):
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    assert "airflow-provider-talecraft" in manager.providers
    assert manager.hooks["talecraft"].hook_name == "TaleCraft"
    assert "illustration" in dict(manager.taskflow_decorators)
    assert f"{PACKAGE}.links.illustration.IllustrationLink" in manager.extra_links_class_names


def test_a_picture_is_linked_from_its_task(bag, charges, tmp_path, api_server, login):
    drawn = run(bag, "talecraft_to_object_storage", prompt="A gull", destination=tmp_path.as_uri())
    task = f"/api/v2/dags/{drawn.dag_id}/dagRuns/{drawn.run_id}/taskInstances/draw"
    link = api_server.get(f"{task}/xcomEntries/_link_IllustrationLink?stringify=false", headers=login).json()["value"]
    assert "/uploads/illustrations/" in link


def test_the_plugin_adds_pages_where_airflow_has_a_place_for_them(api_server, login):
    plugins = api_server.get("/api/v2/plugins", headers=login).json()["plugins"]
    (plugin,) = [plugin for plugin in plugins if plugin["name"] == "talecraft"]
    has_views = is_said_to_have("tabs and the page")
    assert len(plugin.get("external_views", [])) == (3 if has_views else 0)
    if has_views:
        assert not api_server.get("/api/v2/plugins/importErrors", headers=login).json()["import_errors"]
        page = api_server.get("/talecraft/task.html", headers=login)
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_the_command_line_checks_the_key(charges):
    talecraft = ["airflow", "talecraft"] if is_said_to_have("`airflow talecraft`") else [f"{PACKAGE}.cli"]
    done = subprocess.run(
        [sys.executable, "-m", *talecraft, "check"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""The house: which module may import which, and what a Dag file's imports may load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from patience import PATIENCE

ROOT = Path(__file__).parents[2]
PACKAGE = "airflow_provider_talecraft"
FILES = sorted((ROOT / PACKAGE).rglob("*.py"))

#: The floors of the house, top to bottom: a module imports from its own room and from floors below it.
FLOORS = (
    {"decorators"},
    {"operators", "transfers", "plugins", "cli"},
    {"hooks", "batch", "links"},
    {"spending"},
    {"pictures"},
    {"api", "policies"},
    {"exceptions", "version_compat", "get_provider_info", "__init__", "sandbox"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
#: The folders that Airflow loads; what they share among themselves is in ``base``.
AIRFLOWS = ("hooks", "operators", "transfers", "decorators", "policies", "links", "plugins")
MOST_LINES = 300
MOST_LINES_OF_EXECUTE = 40


def room(path):
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def room_of(name):
    """Return the room of an imported name of this package."""
    part = name.split(".")[1]
    return part if part in FLOOR else "__init__"


def imports(path):
    """Return the full names of what a module imports, wherever in the module it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / PACKAGE)))
def test_imports_point_downwards(path):
    own = room(path)
    for name in imports(path):
        if name.startswith(f"{PACKAGE}."):
            below = FLOOR[room_of(name)] > FLOOR[own] and (room_of(name) != "sandbox" or own == "cli")
            assert room_of(name) == own or below, f"{own} must not import {name}"


def test_the_picture_of_the_floors_is_the_one_that_is_checked():
    picture = (ROOT / "CONTRIBUTING.md").read_text().partition("┌")[2].partition("└")[0]
    drawn = [re.findall(r"^│(.*)│", floor, re.MULTILINE) for floor in picture.split("├")]
    assert [set(" ".join(lines).split()) for lines in drawn] == list(FLOORS)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`([\w/]+(?:/|\.py|\.md))[`,]", (ROOT / "CONTRIBUTING.md").read_text())))
)
def test_every_path_that_a_newcomer_is_sent_to_is_there(path):
    assert any((folder / path).exists() for folder in (ROOT, ROOT / PACKAGE, ROOT / "tests" / "integration"))


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_module_imports_itself_in_a_circle():
    modules = {module_of(path) for path in FILES}
    graph = {
        module_of(path): {
            # ``from package import module`` is the module, ``from module import name`` is the module, too.
            next(found for found in (name, name.rpartition(".")[0]) if found in modules)
            for name in imports(path)
            if name.split(".")[0] == PACKAGE
        }
        for path in FILES
    }
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / PACKAGE)))
def test_no_module_hides_a_second_noun(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES
    if room(path) in AIRFLOWS:
        nodes = ast.parse(path.read_text()).body
        nouns = [node.name for node in nodes if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        assert len(nouns) <= 1 or path.stem == "settings", nouns


EXECUTES = [
    (path, node)
    for path in FILES
    if room(path) in {"operators", "transfers"}
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.FunctionDef) and node.name == "execute"
]


@pytest.mark.parametrize(("path", "node"), EXECUTES, ids=lambda value: getattr(value, "stem", ""))
def test_what_a_task_does_is_read_at_a_glance(path, node):
    body = path.read_text().splitlines()[node.body[1].lineno - 1 : node.end_lineno]  # the first one is the docstring
    assert len(body) <= MOST_LINES_OF_EXECUTE


def test_the_tests_mirror_the_house():
    rooms = {path.name for path in (ROOT / PACKAGE).iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    mirrored = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir()} - {"__pycache__"}
    assert mirrored <= rooms
    for path in (ROOT / "tests" / "unit").rglob("test_*.py"):
        assert path.parent.name == "unit" or path.parent.name in rooms


@pytest.mark.parametrize("path", [path for path in FILES if room(path) in {"api", "sandbox"}], ids=str)
def test_the_api_and_the_sandbox_know_nothing_of_airflow(path):
    assert not [name for name in imports(path) if name.split(".")[0] == "airflow"]


@pytest.mark.parametrize("name", ["__init__", "get_provider_info"])
def test_what_everything_imports_imports_nothing(name):
    assert imports(ROOT / PACKAGE / f"{name}.py") <= {"__future__.annotations", "typing.Any"}


def test_the_plugin_that_all_of_airflow_imports_loads_nothing_but_itself():
    code = (
        "import sys, airflow.plugins_manager; before = set(sys.modules); "
        f"import {PACKAGE}.plugins.talecraft; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert set(done.stdout.split()) <= {PACKAGE, f"{PACKAGE}.plugins", f"{PACKAGE}.plugins.talecraft"}


def test_the_versions_of_airflow_are_told_apart_in_one_place():
    for path in FILES:
        direct = {name for name in imports(path) if name.startswith(("airflow.sdk", "airflow.models", "airflow.utils"))}
        # Of Airflow's tables there is no public name; only Airflow 3.1 and newer load that plugin.
        assert not direct or path.stem in {"version_compat", "task_output"}, f"{path}: {direct}"


IN_DAG_FILES = [
    f"{PACKAGE}.operators.illustration",
    f"{PACKAGE}.transfers.illustration_to_object_storage",
    f"{PACKAGE}.hooks.talecraft",
    f"{PACKAGE}.decorators.illustration",
]


@pytest.fixture(scope="module")
def loaded_by():
    """What each import of a Dag file loads beyond Airflow's own: in a process of its own, forked when those are."""
    code = f"""
import importlib, os, sys
try:
    import airflow.sdk
    from airflow.sdk import DAG, BaseHook, BaseOperator, ObjectStoragePath, task
except ImportError:
    from airflow.hooks.base import BaseHook
    from airflow.io.path import ObjectStoragePath
    from airflow.models.baseoperator import BaseOperator
before = set(sys.modules)
for module in {IN_DAG_FILES}:
    if os.fork():
        os.wait()
        continue
    importlib.import_module(module)
    print("LOADED", module, *sorted(set(sys.modules) - before), flush=True)
    os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("LOADED")]
    return {module: names for _, module, *names in lines}


@pytest.mark.parametrize("module", IN_DAG_FILES)
def test_a_dag_files_imports_load_no_http_or_picture_library(module, loaded_by):
    loaded = {name.split(".")[0] for name in loaded_by[module]}
    assert PACKAGE in loaded
    if ".operators." in module:
        # Every task of the Dag pays for these again; those that need them import them when they run.
        late = [f"{PACKAGE}.{name}" for name in ("hooks.talecraft", "spending", "pictures.place", "batch.run")]
        assert not set(late) & set(loaded_by[module])
    assert not loaded & {
        "requests",
        "urllib3",
        "aiohttp",
        "httpx",
        "PIL",
        "starlette",
        "uvicorn",
        "fsspec",
        "upath",
        "imagesize",
        "requests_hardened",
    }


def test_the_package_itself_imports_nothing():
    code = f"import sys; before = set(sys.modules); import {PACKAGE}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert set(done.stdout.split()) == {PACKAGE}

"""The house: which module may import which, and what a Dag file's imports may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "airflow_provider_talecraft"
FILES = sorted((ROOT / PACKAGE).rglob("*.py"))

#: Small modules that serve more than one folder.
SHARED = {"assets", "crew", "exceptions", "landing", "manifest", "options", "version_compat"}

#: What the modules of each folder may import of the package besides their own folder; the first match counts.
ALLOWED = {
    "__init__": set(),
    "exceptions": set(),
    "get_provider_info": set(),
    "version_compat": set(),
    "assets": set(),
    "crew": set(),
    "landing": set(),
    "manifest": {"landing"},
    "options": set(),
    "sandbox": set(),
    "api": {"exceptions", "__init__"},
    "hooks": {"api", "landing", "exceptions", "get_provider_info", "version_compat"},
    "policies": {"exceptions", "version_compat"},
    "operators": {"hooks", "policies", "api", *SHARED},
    "transfers": {"hooks", "policies", "api", *SHARED, "__init__"},
    "cli": {"sandbox"},
}


def room(path):
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


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
def test_the_arrows_point_one_way(path):
    own = room(path)
    for name in imports(path):
        if name.startswith(f"{PACKAGE}."):
            target = name.split(".")[1]
            target = (
                target
                if (ROOT / PACKAGE / target).exists() or (ROOT / PACKAGE / f"{target}.py").exists()
                else "__init__"
            )
            assert target == own or target in ALLOWED[own], f"{own} must not import {name}"


@pytest.mark.parametrize("path", [path for path in FILES if room(path) in {"api", "sandbox"}], ids=str)
def test_the_api_and_the_sandbox_know_nothing_of_airflow(path):
    assert not [name for name in imports(path) if name.split(".")[0] == "airflow"]


@pytest.mark.parametrize("name", ["__init__", "exceptions", "get_provider_info"])
def test_what_everything_imports_imports_nothing(name):
    assert imports(ROOT / PACKAGE / f"{name}.py") <= {"__future__.annotations", "typing.Any"}


def test_the_versions_of_airflow_are_told_apart_in_one_place():
    for path in FILES:
        direct = {name for name in imports(path) if name.startswith(("airflow.sdk", "airflow.models", "airflow.utils"))}
        assert not direct or path.stem == "version_compat", f"{path}: {direct}"


@pytest.mark.parametrize(
    "module",
    [
        f"{PACKAGE}.operators.illustration",
        f"{PACKAGE}.transfers.illustration_to_object_storage",
        f"{PACKAGE}.hooks.talecraft",
    ],
)
def test_a_dag_files_imports_load_no_http_or_picture_library(module):
    code = f"""
import sys
try:
    import airflow.sdk
    from airflow.sdk import DAG, BaseHook, BaseOperator, ObjectStoragePath, task
except ImportError:
    from airflow.hooks.base import BaseHook
    from airflow.io.path import ObjectStoragePath
    from airflow.models.baseoperator import BaseOperator
before = set(sys.modules)
import {module}
print(*sorted(name for name in set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert PACKAGE in loaded
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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) == {PACKAGE}

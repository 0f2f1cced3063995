"""docs/versions.md and pyproject.toml say what noxfile.py runs; tests/matrix holds the page to each Airflow."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "versions.md").read_text()


def rows(heading):
    """Return the page's table under a heading: its first column and its second."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| ([\d.]+) \| (.*?) \|$", section, re.MULTILINE))


@pytest.fixture(scope="module")
def noxfile():
    spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.environ["PATH"])  # which it makes longer
        spec.loader.exec_module(module)
    return module


def test_the_airflows_and_pythons_of_the_page_are_those_of_the_matrix(noxfile):
    assert rows("What is tested") == {airflow: ", ".join(line.pythons) for airflow, line in noxfile.LINES.items()}


def test_the_pins_of_the_page_are_those_of_the_matrix(noxfile):
    pins = {airflow: [name for name in line.beside if "<" in name] for airflow, line in noxfile.LINES.items()}
    said = {airflow: re.findall("`(.*?)`", names) for airflow, names in rows("What old versions need").items()}
    assert said == {airflow: names for airflow, names in pins.items() if names}


def test_the_classifiers_name_the_pythons_of_the_matrix_that_have_been_run(noxfile):
    classifiers = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert classifiers == [python for python in noxfile.PYTHONS if f"{python} has not been run yet" not in PAGE]

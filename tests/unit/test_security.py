"""docs/security.md: every row names a test that is there, and the floors are what it says."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGE = (ROOT / "docs" / "security.md").read_text()
FLOORS = PAGE.partition("### Floors")[2]
ROWS = [line for line in PAGE.partition("### Floors")[0].splitlines() if re.match(r"\| (?!tries|-)", line)]
THREATS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:50])
def test_every_row_names_a_test_that_is_there(row):
    tried, defence, shown = (cell.strip() for cell in row.strip("|").split(" | "))
    assert tried
    assert defence
    path, name = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown).groups()
    functions = {node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)}
    assert name in functions


@pytest.mark.parametrize("who", THREATS)
def test_every_section_has_rows_and_says_what_is_not_defended(who):
    section = re.split(r"^## ", PAGE.partition(f"\n## {who}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    assert "::test_" in section
    assert "**Not defended:**" in section


def test_the_floors_are_above_every_listed_fault():
    listed = re.findall(r"^\| (requests|urllib3) \| ([\d.]+) \| \[CVE-", FLOORS, re.MULTILINE)
    assert {name for name, _ in listed} == {"requests", "urllib3"}
    for requirement in map(Requirement, PROJECT["dependencies"]):
        fixed = [Version(version) for name, version in listed if name == requirement.name]
        (floor,) = (Version(one.version) for one in requirement.specifier if one.operator == ">=")
        assert all(floor >= version for version in fixed), requirement


def test_the_sbom_is_made_and_checked_with_the_distribution():
    script = (ROOT / "scripts" / "check_dist.py").read_text()
    assert "    write_sbom(wheel, python, folder)\n" in script
    assert '"--validate"' in script
    (name,) = re.findall(r'SBOM / f"(.+)"', script)
    assert name.replace("{version}", "VERSION") in PAGE

"""docs/sandbox.md says what the code does: its options, its fault fields, its recipes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from airflow_provider_talecraft.sandbox import command, faults, ledger, settings

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"```json\n(.*?)```", PAGE.partition("### Recipes")[2], re.DOTALL)


def _table(heading):
    """The rows of the first table below a heading, as lists of cells."""
    lines = PAGE.partition(heading)[2].splitlines()
    rows = [line.strip("|").split("|") for line in lines[: _end(lines)] if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def _end(lines):
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    return next(number for number, line in enumerate(lines[start:], start) if not line.startswith("|"))


def test_the_options_table_has_every_option_with_its_default():
    unset = {"requests-per-minute": "no limit", "max-concurrency": "no limit", "public-url": "the request's own host"}
    unset["api-key"] = f"`{settings.DEFAULT_KEY}`"
    expected = {}
    for (flag,), keywords in command.OPTIONS:
        default = keywords["default"]
        expected[f"`{flag}`"] = unset[flag.strip("-")] if default is None else f"`{default}`"
    assert {option: default for option, default, _ in _table("with exit code 0")} == expected


def test_the_faults_table_has_every_field():
    named = {name for field, _ in _table("## Faults") for name in re.findall(r"`(\w+)`", field)}
    assert named == set(faults._CHECKS)


def test_the_stated_bounds_are_the_codes():
    assert f"newest {ledger.MAX_CHARGES:,} charges" in PAGE
    assert f"newest {ledger.MAX_REQUESTS:,} requests" in PAGE.replace("\n", " ")
    assert f"exceed {ledger.MAX_PROMPT_CHARS // 2**20} Mi characters" in PAGE
    assert f"cut to {ledger.PREVIEW_CHARS} characters" in PAGE


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_is_a_fault_that_is_accepted(box, recipe):
    assert box.post("/sandbox/faults", json.loads(recipe)).status_code == 200


def test_there_are_recipes():
    assert len(RECIPES) >= 8

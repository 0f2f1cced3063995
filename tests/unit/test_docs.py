"""The pages in docs/ agree with the code."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_talecraft.hooks.spend_record import KEY
from airflow_provider_talecraft.operators import batch, limiter
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy

DOCS = Path(__file__).parents[2] / "docs"
RETRIES = (DOCS / "retries.md").read_text()


def test_the_policys_parameters_and_defaults_are_the_codes():
    table = re.search(r"\| parameter \| default \|\n.*?\n\n", RETRIES, re.DOTALL).group()
    said = {}
    for names, defaults in re.findall(r"^\| (`.*?) \| (.*?) \|$", table, re.MULTILINE):
        said |= dict(zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=True))
    parameters = dict(inspect.signature(TaleCraftRetryPolicy).parameters)
    del parameters["chance"]
    assert list(said) == list(parameters)
    for name, parameter in parameters.items():
        default = parameter.default
        spelled = f"{default.total_seconds():.0f} s" if isinstance(default, timedelta) else str(default).lower()
        assert said[name].startswith(spelled), name


def test_the_key_to_delete_is_the_records():
    assert f"delete the key `{KEY}`" in RETRIES


def test_the_batchs_numbers_are_the_codes():
    assert f"spread evenly at {100 / limiter.SLACK:.0f} % of that rate" in RETRIES
    assert f"else by {limiter.DEFAULT_SLOW_DOWN:.0f} s" in RETRIES
    assert f"more than {limiter.MOST_SLOW_DOWNS} in a row" in RETRIES
    assert f"more than {limiter.LONGEST_SLOW_DOWN:.0f} s" in RETRIES
    assert batch.MOST_IN_A_ROW == 10
    assert "ten illustrations in a row" in RETRIES


@pytest.mark.parametrize(
    ("page", "path"),
    [
        (page, path)
        for page in sorted(DOCS.glob("*.md"))
        for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    ],
    ids=str,
)
def test_every_link_to_a_file_leads_to_one(page, path):
    assert (page.parent / path).exists()


@pytest.mark.parametrize("path", re.findall(r"`(tests/[\w/.]+)`", RETRIES))
def test_every_test_that_is_named_is_there(path):
    assert (DOCS.parent / path).exists()

"""docs/connection.md agrees with the form, the hook and Airflow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_talecraft.get_provider_info import get_provider_info
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "connection.md").read_text()
CONNECTION = get_provider_info()["connection-types"][0]
LINES = re.findall(r"^export AIRFLOW_CONN_TALECRAFT_DEFAULT='(.*)'$", PAGE, re.MULTILINE)


def test_every_field_of_the_form_is_described_and_no_other():
    described = re.findall(r"^\| extra `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(described) == sorted(CONNECTION["conn-fields"])


def test_what_an_empty_field_means_is_what_the_form_says():
    for name, default in re.findall(r"^\| extra `(\w+)` \| `(\d+)` \|", PAGE, re.MULTILINE):
        assert f"{default} if empty" in CONNECTION["conn-fields"][name]["description"]


@pytest.mark.parametrize("line", LINES)
def test_a_line_for_the_environment_is_a_connection(line, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TALECRAFT_DEFAULT", line)
    settings = TaleCraftHook().settings
    assert settings.api_key == "YOUR_API_KEY"
    assert settings.base_url == "https://talescaleai.com"
    assert settings.read_timeout == (120 if "read_timeout" in line else 300)


def test_there_are_lines_for_the_environment():
    assert len(LINES) == 4


def test_the_picture_of_the_form_is_there_and_small():
    (name,) = re.findall(r"\]\((images/[\w-]+\.png)\)", PAGE)
    assert (DOCS / name).stat().st_size < 150_000

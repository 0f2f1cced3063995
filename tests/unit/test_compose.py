"""docker-compose.yaml is one, and what it sets is what the package reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_talecraft.hooks.settings import ConnectionSettings
from airflow_provider_talecraft.sandbox.settings import DEFAULT_KEY

PATH = Path(__file__).parents[2] / "docker-compose.yaml"
SERVICES = yaml.safe_load(PATH.read_text())["services"]


def test_it_follows_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(PATH)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def test_its_connection_leads_to_its_sandbox():
    fields = yaml.safe_load(SERVICES["airflow"]["environment"]["AIRFLOW_CONN_TALECRAFT_DEFAULT"])
    extra = str(fields.pop("extra")).replace("'", '"').replace("True", "true")
    settings = ConnectionSettings.of(Connection(conn_id="x", extra=extra, **fields))
    assert settings.base_url == "http://sandbox:8765"
    assert settings.api_key == DEFAULT_KEY


@pytest.mark.parametrize("name", SERVICES)
def test_its_ports_are_open_to_this_machine_only(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])

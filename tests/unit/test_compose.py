"""docker-compose.yaml is one, what it sets is what the package reads, and its engine can do what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_talecraft.hooks.settings import ConnectionSettings
from airflow_provider_talecraft.sandbox.settings import DEFAULT_KEY

ROOT = Path(__file__).parents[2]
PATH = ROOT / "docker-compose.yaml"
FILE = yaml.safe_load(PATH.read_text())
SERVICES = FILE["services"]


def test_it_follows_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(PATH)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def test_its_connection_leads_to_its_sandbox_by_a_name_that_opens_in_a_browser_too():
    fields = yaml.safe_load(SERVICES["airflow"]["environment"]["AIRFLOW_CONN_TALECRAFT_DEFAULT"])
    extra = str(fields.pop("extra")).replace("'", '"').replace("True", "true")
    settings = ConnectionSettings.of(Connection(conn_id="x", extra=extra, **fields))
    assert settings.base_url == "http://sandbox.localhost:8765"
    assert settings.api_key == DEFAULT_KEY
    assert SERVICES["sandbox"]["networks"]["default"]["aliases"] == ["sandbox.localhost"]


@pytest.mark.parametrize("name", SERVICES)
def test_its_ports_are_open_to_this_machine_only(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_says_when_it_is_healthy(name):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_what_is_written_goes_to_volumes_since_docker_makes_a_missing_folder_as_root():
    for volume in SERVICES["airflow"]["volumes"]:
        source, _, options = volume.split(":")[0], volume.split(":")[1], volume.split(":")[2:]
        assert source in FILE["volumes"] or options == ["ro"]


def test_the_image_is_built_from_all_that_the_build_reads():
    taken = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert {"airflow_provider_talecraft", "pyproject.toml", "README.md", "LICENSE"} <= set(taken)

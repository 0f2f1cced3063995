"""docker-compose.yaml is one, sets what the package reads, and opens nothing to others. tests/engine runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from airflow.providers.common.compat.sdk import Connection
from patience import PATIENCE

from airflow_provider_talecraft.hooks.settings import ConnectionSettings, picture_hosts
from airflow_provider_talecraft.sandbox.settings import DEFAULT_KEY

ROOT = Path(__file__).parents[2]
PATH = ROOT / "docker-compose.yaml"
FILE = yaml.safe_load(PATH.read_text())
SERVICES = FILE["services"]
AIRFLOW = FILE["x-airflow"]["environment"]
#: Awaited by its end, and so in no need of a health.
ENDS = "setup"
SERVERS = sorted(SERVICES.keys() - {ENDS})


def default(value):
    """Return what docker-compose takes for ``${NAME:-default}``."""
    return re.fullmatch(r"\$\{[A-Z_]+:-([^}]*)\}", value)[1]


def test_it_follows_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(PATH)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


def test_its_connection_leads_to_its_sandbox_by_a_name_that_opens_in_a_browser_too():
    connection = Connection(conn_id="x", uri=default(AIRFLOW["AIRFLOW_CONN_TALECRAFT_DEFAULT"]))
    settings = ConnectionSettings.of(connection)
    assert settings.base_url == "http://sandbox.localhost:8765"
    assert picture_hosts(connection) == ("sandbox.localhost:8765",)
    assert settings.api_key == DEFAULT_KEY
    assert SERVICES["sandbox"]["networks"]["default"]["aliases"] == ["sandbox.localhost"]
    assert f"--public-url {settings.base_url}" in SERVICES["sandbox"]["command"]


def test_a_worker_outlasts_a_restart_of_the_api_server():
    """Waits are random, up to the longest: on average they make half of it."""
    longest = int(AIRFLOW["AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX"])
    assert int(AIRFLOW["AIRFLOW__WORKERS__EXECUTION_API_RETRIES"]) * longest / 2 >= 120


def test_the_store_takes_the_key_of_its_connection():
    fields = json.loads(AIRFLOW["AIRFLOW_CONN_AWS_DEFAULT"])
    keys = SERVICES["store"]["environment"]
    assert (fields["login"], fields["password"]) == (keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])


def test_the_examples_store_where_the_variable_says():
    assert AIRFLOW["TALECRAFT_EXAMPLES"].startswith("s3://aws_default@")
    readers = {path.name for path in (ROOT / "example_dags").glob("*.py") if "TALECRAFT_EXAMPLES" in path.read_text()}
    assert {"talecraft_storybook.py", "talecraft_daily.py", "talecraft_catalogue.py"} <= readers


def test_the_example_of_the_environment_names_what_the_file_reads():
    asked = set(re.findall(r"\$\{([A-Z_]+)", PATH.read_text()))
    assert asked == set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", SERVICES)
def test_its_ports_are_open_to_this_machine_only(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_says_when_it_is_healthy(name):
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("name", SERVICES)
def test_who_needs_another_waits_for_its_health_or_its_end(name):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        ended = other == ENDS
        assert how["condition"] == ("service_completed_successfully" if ended else "service_healthy")


@pytest.mark.parametrize("name", SERVICES)
def test_its_images_are_pinned(name):
    assert re.search(r":(\d+(\.\d+)+|local)$", SERVICES[name]["image"])
    assert SERVICES[name]["image"].endswith(":local") == ("build" in SERVICES[name])


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_written_goes_to_volumes_since_docker_makes_a_missing_folder_as_root(name):
    for volume in SERVICES[name].get("volumes", []):
        source, _, *options = volume.split(":")
        assert source in FILE["volumes"] or options == ["ro"]
        assert source in FILE["volumes"] or (ROOT / source).exists()


def test_every_secret_says_that_it_is_none_or_is_the_sandboxs():
    text = PATH.read_text()
    for secret in re.findall(r"(?:PASSWORD|SECRET_ACCESS_KEY|\"password\")\"?: \"?([\w-]+)", text):
        assert secret == "not-a-secret"
    assert default(AIRFLOW["AIRFLOW__API__SECRET_KEY"]).startswith("not-a-secret")
    assert default(AIRFLOW["AIRFLOW__API_AUTH__JWT_SECRET"]).startswith("not-a-secret")


def test_the_image_is_built_from_all_that_the_build_reads():
    taken = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert {"airflow_provider_talecraft", "pyproject.toml", "README.md", "LICENSE", "requirements/compose.txt"} <= set(
        taken
    )


def test_the_engines_stand_ins_have_the_names_that_the_files_name():
    published = {service["image"] for service in SERVICES.values() if "build" not in service}
    published.add(re.search(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1])
    stand_ins = re.search(r"IMAGES = \{(.*?)\}", (ROOT / "tests" / "engine" / "engine.py").read_text(), re.DOTALL)[1]
    assert published == set(re.findall(r': "([^"]+)"', stand_ins))

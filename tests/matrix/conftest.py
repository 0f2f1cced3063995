"""One Airflow home with an empty database, and one sandbox, for a session of the matrix."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
AIRFLOW_3 = Version(version("apache-airflow")) >= Version("3")

# Airflow reads these when it is first imported, so they are set before any test module is.
HOME = tempfile.mkdtemp(prefix="talecraft-matrix-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[name]
os.environ.update(
    AIRFLOW_HOME=HOME,
    AIRFLOW__API_AUTH__JWT_SECRET="not-a-secret-outside-this-test",
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "example_dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
)


@pytest.fixture(scope="session")
def database():
    """An empty database, as ``airflow db migrate`` makes it."""
    from airflow.utils.db import upgradedb

    upgradedb()


@pytest.fixture(scope="session")
def bag(database):
    """The example Dags, those included that this Airflow cannot load."""
    from airflow.models import DagBag

    return DagBag(str(ROOT / "example_dags"))


@pytest.fixture(scope="session")
def sandbox():
    """The stand-in for TaleCraft."""
    from airflow_provider_talecraft.sandbox import Sandbox

    with Sandbox(latency=0) as running:
        yield running


@pytest.fixture
def charges(sandbox, monkeypatch):
    """What has been paid for, asked when called; nothing at first. The connection leads to the sandbox."""
    sandbox.reset()
    connection = {"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key}
    monkeypatch.setenv("AIRFLOW_CONN_TALECRAFT_DEFAULT", json.dumps(connection))
    return lambda: [charge["prompt"] for charge in sandbox.ledger()["charges"]]


@pytest.fixture(scope="session")
def api_server(database):
    """A client of Airflow 3's API server, which is not logged in; Airflow 2 has none."""
    if not AIRFLOW_3:
        pytest.skip("Airflow 2 has no API server; tests/integration looks at its form and its links")
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    with TestClient(create_app()) as client:
        yield client


@pytest.fixture
def login(api_server):
    """Headers of somebody who is logged in."""
    return {"Authorization": f"Bearer {api_server.get('/auth/token').json()['access_token']}"}

"""A whole Airflow for all integration tests that need a scheduler, and real object stores; each started once."""

from __future__ import annotations

import json
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import pytest
import servers
import stores
from deployment import Deployment
from migrated import migrated
from packaging.version import Version

#: A key that looks like nothing else, so that finding it anywhere is a leak.
KEY = "tc-live-5d41402abc4b2a76b9719d911017c592"


@pytest.fixture(scope="session", autouse=True)
def _database():
    """The database of the Airflow of this process: empty, and there before anything opens one."""
    migrated(os.environ["AIRFLOW_HOME"])


@pytest.fixture(scope="session")
def keyed_sandbox():
    """A sandbox whose only key is KEY."""
    from airflow_provider_talecraft.sandbox import Sandbox

    with Sandbox(latency=0, api_keys=(KEY,)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def limited_sandbox():
    """A sandbox that counts: 120 requests in any minute, 8 at a time, 1 s each."""
    from airflow_provider_talecraft.sandbox import Sandbox

    with Sandbox(latency=1, requests_per_minute=120, max_concurrency=8) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def deployment(tmp_path_factory, keyed_sandbox, limited_sandbox):
    """Airflow with LocalExecutor, the Dags beside this file, and connections to the sandbox."""
    if Version(version("apache-airflow")) < Version("3.3"):
        pytest.skip("the policy and the record are of Airflow 3.3; what is done below it is in tests/unit/operators")

    def connection(**fields):
        return json.dumps({"conn_type": "talecraft", "host": keyed_sandbox.url, "password": KEY, **fields})

    connections = {
        # A batch takes the plan's limits from here; this plan has hardly any.
        "AIRFLOW_CONN_TALECRAFT_DEFAULT": connection(extra={"requests_per_minute": 1200, "max_concurrency": 4}),
        "AIRFLOW_CONN_TALECRAFT_KEYLESS": connection(password=""),
        "AIRFLOW_CONN_TALECRAFT_STRANGER": connection(password=KEY.replace("5d41", "0000")),
        "AIRFLOW_CONN_TALECRAFT_LIMITED": connection(
            host=limited_sandbox.url,
            password=limited_sandbox.api_key,
            extra={"requests_per_minute": 120, "max_concurrency": 8},
        ),
        "AIRFLOW_CONN_TALECRAFT_NOWHERE": connection(host="http://127.0.0.1:9", extra={"connect_timeout": 1}),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
    }
    home = tmp_path_factory.mktemp("airflow")
    with Deployment(home, Path(__file__).with_name("dags"), connections) as airflow:
        yield airflow


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory):
    """A running S3."""
    with servers.SeaweedFS(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def azurite(tmp_path_factory):
    """A running Azure Blob Storage."""
    with servers.Azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def fake_gcs(tmp_path_factory):
    """A running Google Cloud Storage."""
    with servers.FakeGCS(tmp_path_factory.mktemp("gcs")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL with an empty table of products."""
    # Not below pytest's own folder, which only its owner may enter.
    with tempfile.TemporaryDirectory(prefix="talecraft-postgres-") as folder, servers.Postgres(Path(folder)) as server:
        yield server


@pytest.fixture(params=stores.NAMES)
def store(request, tmp_path, monkeypatch):
    """An empty folder in each store in turn; its connection is defined, and in ``store.environment`` for others."""
    folder = f"test-{uuid4().hex}"
    made = {
        "file": lambda: stores.LocalFolder(tmp_path / folder),
        "s3": lambda: stores.S3(folder, request.getfixturevalue("seaweedfs")),
        "azure": lambda: stores.Azure(folder, request.getfixturevalue("azurite")),
        "gcs": lambda: stores.GCS(folder, request.getfixturevalue("fake_gcs")),
    }[request.param]()
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made

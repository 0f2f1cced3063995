"""One Airflow home for the whole session, one sandbox for all tests; every test starts with a clean ledger."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]
#: Its conftest.py is for an Airflow home of its own, and would take this one's place in the environment.
collect_ignore = ["matrix"]

# What a shell starts with & ignores Ctrl-C, and so would the commands that tests type it into.
signal.signal(signal.SIGINT, signal.default_int_handler)

HOME = tempfile.mkdtemp(prefix="talecraft-tests-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

# Airflow reads these when it is first imported, so they are set before any test module is.
os.environ.update(
    AIRFLOW_HOME=HOME,
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "example_dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
)
for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
    del os.environ[name]

# The same examples in every run; ``make properties`` looks for others, for as long as it takes.
settings.register_profile("quick", deadline=None, derandomize=True, stateful_step_count=15)
settings.register_profile(
    "thorough",
    deadline=None,
    max_examples=3000,
    stateful_step_count=30,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def _running_sandbox():
    from airflow_provider_talecraft.sandbox import Sandbox

    with Sandbox(latency=0) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running_sandbox):
    """The local stand-in for TaleCraft, without latency, with an empty ledger and no faults."""
    _running_sandbox.reset()
    return _running_sandbox


@pytest.fixture
def connect(monkeypatch):
    """Define an Airflow connection: ``connect(host=..., password=..., extra={...}, conn_id=...)``."""

    def define(conn_id="talecraft_default", **fields):
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({"conn_type": "talecraft", **fields}))

    return define


@pytest.fixture
def connected(connect, sandbox):
    """The connection talecraft_default leads to the sandbox."""
    connect(host=sandbox.url, password=sandbox.api_key)
    return sandbox


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 (``chain``, with its key) of an authority nobody trusts (``ca``), in PEM files."""
    folder = tmp_path_factory.mktemp("certificate")
    files = SimpleNamespace(chain=folder / "chain.pem", ca=folder / "ca.pem")
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(files.chain))
    authority.cert_pem.write_to_path(str(files.ca))
    return files

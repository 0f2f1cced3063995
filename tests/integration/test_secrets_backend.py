"""A connection that lies in a secrets backend is used as any other, and its key is masked as any other's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

pytestmark = pytest.mark.integration

PAGE = (Path(__file__).parents[2] / "docs" / "production.md").read_text()
KEY = "tc-live-in-a-file-of-its-own"
#: Asks by the hook, in an Airflow of its own; then somebody logs the key.
ASK = """
import sys
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
try:
    from airflow.sdk.log import redact
except ImportError:
    from airflow.utils.log.secrets_masker import redact
hook = TaleCraftHook()
settings = hook.settings
print(hook.test_connection(), settings.requests_per_minute, settings.max_concurrency)
print(redact(f"somebody logs {sys.argv[1]} here"))
"""


@pytest.fixture(scope="module")
def keyed():
    from airflow_provider_talecraft.sandbox import Sandbox

    with Sandbox(latency=0, api_keys=(KEY,)) as sandbox:
        yield sandbox


def ask(home, connections):
    """Run ASK where Airflow's backend reads *connections*, a file."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, "-c", ASK, KEY],
        env={
            **inherited,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(connections)}),
        },
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_the_file_of_the_documentation_is_a_connection_whose_key_is_masked(tmp_path, keyed):
    (text,) = re.findall(r"```yaml\n(talecraft_default:.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "connections.yaml"
    file.write_text(text.replace("YOUR_API_KEY", KEY).replace("  extra:", f"  host: {keyed.url}\n  extra:"))
    done = ask(tmp_path / "airflow", file)
    answer, logged = done.stdout.splitlines()[-2:]
    assert answer.startswith("(True, ")
    assert answer.endswith(") 30 4")
    assert logged == "somebody logs *** here"
    assert KEY not in done.stdout + done.stderr
    assert keyed.ledger()["charges"] == []


def test_a_key_with_a_newline_behind_it_is_masked_too(tmp_path, keyed):
    file = tmp_path / "connections.json"
    connection = {"conn_type": "talecraft", "host": keyed.url, "password": f"{KEY}\n"}
    file.write_text(json.dumps({"talecraft_default": connection}))
    done = ask(tmp_path / "airflow", file)
    assert "(True, " in done.stdout
    assert KEY not in done.stdout + done.stderr

"""The sandbox answers as docs/openapi.yaml says: schemathesis reads the one and asks the other.

What the document says is in ``tests/unit/sandbox/test_openapi.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

from airflow_provider_talecraft.sandbox import Sandbox

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.integration


def schemathesis(sandbox, *options, folder):
    """Run it against *sandbox*; return the finished process."""
    return subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", ROOT / "docs" / "openapi.yaml",
            "--url", sandbox.url, "--header", f"X-API-Key: {sandbox.api_key}", "--generation-deterministic",
            "--no-color", *options,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "SCHEMATHESIS_HOOKS": "openapi_checks"},
        cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


def test_every_answer_of_the_sandbox_is_one_of_the_document(tmp_path):
    with Sandbox(latency=0, credits=1_000_000) as sandbox:
        done = schemathesis(
            sandbox, "--phases", "examples,coverage,fuzzing", "--mode", "all", "--max-examples", "200",
            # The service answers every refusal with HTTP 200; which is which is asked in openapi_checks.
            "--exclude-checks", "negative_data_rejection,missing_required_header,ignored_auth",
            folder=tmp_path,
        )  # fmt: skip
        ledger = sandbox.ledger()
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = {request["outcome"] for request in ledger["requests"]}
    assert outcomes == {"delivered", "refused"}, "valid and invalid input was sent"
    assert ledger["spent"] == 2 * sum(request["outcome"] == "delivered" for request in ledger["requests"])

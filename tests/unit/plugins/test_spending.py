"""What the menu's page adds up from the reports of tasks."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from patience import PATIENCE

import airflow_provider_talecraft.plugins

MODULE = Path(airflow_provider_talecraft.plugins.__file__).parent / "www" / "js" / "spending.js"
#: The module asks the page for its language.
CODE = """
globalThis.document = { documentElement: {} };
globalThis.localStorage = { getItem: () => null };
globalThis.window = globalThis;
const { addUp, lastDays } = await import(process.argv[1]);
const time = new Date();
const reports = JSON.parse(process.argv[2]).map((value) => ({ dag: "d", time, value }));
const { pictures, credits, unknown } = addUp(reports, lastDays(2, time), 5, "others");
console.log(JSON.stringify([pictures, credits, unknown]));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js; test_pages.py opens the page in a browser")
@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"state": "drawn", "credits": 2}, [1, 2, 0]),
        ({"state": "failed", "credits": 2, "credits_unknown": 2}, [0, 2, 2]),
        ({"state": "found", "credits": 0, "credits_earlier": 2}, [1, 2, 0]),
        ({"state": "found", "credits": 0, "credits_earlier": 0}, [0, 0, 0]),
        ({"count": 6, "state": "drawn", "delivered": 6, "credits": 2, "credits_earlier": 6, "of_others": 2}, [4, 8, 0]),
        ({"count": 6, "state": "found", "delivered": 6, "credits": 0, "credits_earlier": 12}, [6, 12, 0]),
    ],
)
def test_a_task_counts_for_what_all_its_tries_paid_and_for_nothing_that_others_did(report, expected):
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", CODE, str(MODULE), json.dumps([report])],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected

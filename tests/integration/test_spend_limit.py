"""credits_per_day with real Airflows, and with processes that ask at the same moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from migrated import migrated
from patience import PATIENCE

from airflow_provider_talecraft.sandbox import Sandbox

pytestmark = pytest.mark.integration

#: Pictures that the limit allows.
ALLOWED = 5
PROCESSES = 6
#: Asks until the limit is reached, as a task below Airflow 3, or a script, does: with Airflow's database at hand.
ASKS = """
import os, sys, time
os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
from airflow_provider_talecraft.exceptions import TaleCraftSpendLimitError, TaleCraftUnavailableError
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
hook = TaleCraftHook("talecraft_daily")
hook.get_conn()
print("ready", flush=True)
sys.stdin.readline()
drawn = 0
while True:
    try:
        hook.generate(f"{sys.argv[1]} {drawn}")
        drawn += 1
    except TaleCraftUnavailableError:  # SQLite is locked at times
        time.sleep(0.1)
    except TaleCraftSpendLimitError:
        break
print(drawn)
"""


@pytest.fixture
def daily():
    with Sandbox(latency=0.2) as sandbox:
        yield sandbox


@pytest.fixture
def connection(daily):
    extra = {"credits_per_day": 2 * ALLOWED}
    return {"conn_type": "talecraft", "host": daily.url, "password": daily.api_key, "extra": extra}


@pytest.fixture(autouse=True)
def _not_around_midnight():
    now = datetime.now(timezone.utc)
    if (now + timedelta(minutes=5)).date() != now.date():
        pytest.skip("a new day is about to begin")


def test_processes_that_ask_at_the_same_moment_never_pass_the_limit(daily, connection, tmp_path):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(migrated(tmp_path / "home")),
        "AIRFLOW_CONN_TALECRAFT_DAILY": json.dumps(connection),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ASKS, str(number)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    try:
        for process in processes:
            assert "ready\n" in iter(process.stdout.readline, "")  # Airflow 2.11 logs there before
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        drawn = [int(process.communicate(timeout=PATIENCE)[0].splitlines()[-1]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    charged = len(daily.ledger()["charges"])
    assert charged == sum(drawn)
    # The last share may go to nobody: two that ask for it at the same moment are both refused.
    assert ALLOWED - PROCESSES < charged <= ALLOWED


def test_a_command_counts_too(daily, connection, tmp_path):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(migrated(tmp_path / "home")),
        "AIRFLOW_CONN_TALECRAFT_DAILY": json.dumps({**connection, "extra": {"credits_per_day": 2}}),
    }
    command = [sys.executable, "-m", "airflow_provider_talecraft.cli", "generate", "--yes", "--conn-id"]
    done = [
        subprocess.run(
            [*command, "talecraft_daily", prompt],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        for prompt in ("A fox", "An owl")
    ]
    assert [bool(one.returncode) for one in done] == [False, True], done
    assert "2 credits were spent today" in done[1].stderr
    assert len(daily.ledger()["requests"]) == 1


def variables(deployment):
    return deployment.api("/variables?limit=100&variable_key_pattern=talecraft_spent")["variables"]


def test_tasks_of_a_scheduler_share_the_limit_and_a_batch_keeps_what_it_has(deployment, daily, connection):
    fields = {**connection, "extra": json.dumps(connection["extra"])}
    deployment.api("/connections", {"connection_id": "talecraft_daily", **fields})
    run_id, state = deployment.run("talecraft_spend_limit")
    assert state == "failed"
    charged = len(daily.ledger()["charges"])
    assert 1 <= charged <= ALLOWED
    assert len(variables(deployment)) == charged
    assert len(daily.ledger()["requests"]) == charged  # what the limit refuses is not sent
    instances = deployment.task_instances("talecraft_spend_limit", run_id)
    delivered = sum(instance["state"] == "success" for (task_id, _), instance in instances.items() if task_id == "one")
    path = f"/dags/talecraft_spend_limit/dagRuns/{quote(run_id)}/taskInstances/many/xcomEntries/talecraft_report"
    report = deployment.api(f"{path}?deserialize=true")["value"]
    assert report["error"] == "TaleCraftSpendLimitError"
    assert delivered + report["delivered"] == charged
    # Another run finds what is left of the day, and after it nothing.
    deployment.run("talecraft_spend_limit")
    deployment.run("talecraft_spend_limit")
    assert len(daily.ledger()["charges"]) == len(variables(deployment)) <= ALLOWED
    assert "credits_per_day: " in deployment.logs("talecraft_spend_limit")

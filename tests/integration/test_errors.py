"""Every row of the error table and of the policy's, in real tasks under a real scheduler; and the key, which must be
nowhere afterwards.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.integration


def faults(key):
    """Return the fault of each task that needs one."""
    return {
        "user_not_found": {"message": "User not found"},
        "prompt_required": {"message": "prompt is required"},
        "unsupported_ratio_upstream": {"message": "Unsupported aspect_ratio"},
        "insufficient_credits": {"message": "insufficient credits"},
        "waits_for_credits": {"message": "insufficient credits"},
        "rate_limit": {"status": 429, "retry_after": 3600},
        "rate_limit_message": {"message": "Rate limit of your plan exceeded"},
        "not_configured": {"message": "Image generation service is not configured"},
        "http_503": {"page": 503, "retry_after": 3600},
        "http_521": {"page": 521},
        "http_404": {"page": 404},
        "generation_failed": {"message": "Generation failed"},
        "unknown_message": {"message": "fetch failed"},
        "key_echoed": {"message": f"fetch failed: headers were {{'X-API-Key': '{key}'}}"},
        "dropped": {"drop": "after_charge"},
        "truncated": {"truncate": 30},
        "html": {
            "body": f"<html>Bad gateway for {key}</html>",
            "content_type": "text/html",
            "status": 502,
            "charge": True,
        },
        "redirect": {"redirect": "http://127.0.0.1:9/elsewhere"},
        "no_image_url": {"body": '{"code": 0, "message": "ok", "data": {"id": "1"}}', "charge": True},
    }


STOP = None
MINUTE = 60

#: task: (the error its log names, what a person reads there, seconds until the next try)
EXPECTED = {
    "no_connection": ("TaleCraftAuthenticationError", "Make it under Admin > Connections", STOP),
    "missing_key": ("TaleCraftAuthenticationError", "Put it into the connection's password.", STOP),
    "invalid_key": ("TaleCraftAuthenticationError", "create one in TaleCraft under Settings > API Keys", STOP),
    "user_not_found": ("TaleCraftAuthenticationError", "contact TaleCraft's support", STOP),
    "unrendered": ("AirflowFailException", "cannot be rendered (UndefinedError: 'nothing' is undefined)", STOP),
    "blank_prompt": ("TaleCraftInvalidRequestError", "prompt is blank: nothing was sent", STOP),
    "prompt_required": ("TaleCraftInvalidRequestError", "Give a prompt that is not blank", STOP),
    "unsupported_style": ("TaleCraftInvalidRequestError", "children_book", STOP),
    "unsupported_ratio": ("TaleCraftInvalidRequestError", "nothing was sent. Use one of 1:1", STOP),
    "unsupported_ratio_upstream": ("TaleCraftInvalidRequestError", "Use one of the ratios", STOP),
    "blank_fallback": ("TaleCraftInvalidRequestError", "fallback_prompts[1]: prompt is blank: nothing was sent", STOP),
    "insufficient_credits": ("TaleCraftInsufficientCreditsError", "Buy credits, then clear this task", STOP),
    "waits_for_credits": ("TaleCraftInsufficientCreditsError", "insufficient credits", 6 * 60 * MINUTE),
    "rate_limit": ("TaleCraftRateLimitError", "nothing was charged", 60 * MINUTE),
    "rate_limit_message": ("TaleCraftRateLimitError", "Rate limit of your plan exceeded", MINUTE),
    "could_not_connect": ("TaleCraftUnavailableError", "nothing was sent, nothing was charged", MINUTE),
    "not_configured": ("TaleCraftUnavailableError", "on TaleCraft's side", MINUTE),
    "http_503": ("TaleCraftUnavailableError", "HTTP 503", 60 * MINUTE),
    "http_521": ("TaleCraftUnavailableError", "HTTP 521", MINUTE),
    "http_404": ("TaleCraftInvalidRequestError", "check the host", STOP),
    "generation_failed": ("TaleCraftGenerationFailedError", "Retry, or change the prompt", MINUTE / 2),
    "unknown_message": ("TaleCraftGenerationFailedError", "fetch failed", MINUTE / 2),
    "key_echoed": ("TaleCraftGenerationFailedError", "fetch failed", MINUTE / 2),
    "dropped": ("TaleCraftOutcomeUnknownError", "may have been charged", MINUTE),
    "truncated": ("TaleCraftOutcomeUnknownError", "may have been charged", MINUTE),
    "html": ("TaleCraftOutcomeUnknownError", "may have been charged", MINUTE),
    "redirect": ("TaleCraftOutcomeUnknownError", "check the connection's host", MINUTE),
    "no_image_url": ("TaleCraftOutcomeUnknownError", "without a usable image_url", MINUTE),
}


@pytest.fixture(scope="module")
def errors(deployment, keyed_sandbox):
    """The Dags of all error rows, each task tried at least once; the runs' ids by Dag."""
    keyed_sandbox.reset()
    keyed_sandbox.faults(
        [{"prompt": f"then {row}.", "times": None, **fault} for row, fault in faults(keyed_sandbox.api_key).items()]
    )
    runs = {dag_id: deployment.trigger(dag_id) for dag_id in ("talecraft_unreachable", "talecraft_errors")}
    yield runs
    for dag_id, run_id in runs.items():
        deployment.api(f"/dags/{dag_id}/dagRuns/{quote(run_id)}", {"state": "failed"}, method="PATCH")


@pytest.fixture(scope="module")
def tries(deployment, errors):
    """What Airflow's database knew of each task after its first try: state, delay and reason."""
    seen = {}

    def all_tried():
        query = (
            "SELECT task_id, state, retry_delay_override, retry_reason FROM task_instance "
            "WHERE run_id IN (?, ?) AND try_number = 1 AND state IN ('success', 'failed', 'up_for_retry')"
        )
        with closing(sqlite3.connect(deployment.home / "airflow.db")) as database:
            for task_id, *rest in database.execute(query, list(errors.values())):
                seen.setdefault(task_id, rest)
        return len(seen) == len(EXPECTED) + 1

    deployment.until(all_tried, "a task had no first try")
    return seen


def log_of(deployment, task_id):
    (path,) = deployment.home.glob(f"logs/*/*/task_id={task_id}/attempt=1.log")
    return path.read_text()


@pytest.mark.parametrize("row", EXPECTED)
def test_every_error_row_says_in_its_log_what_happened_and_what_to_do(deployment, tries, row):
    error, advice, _ = EXPECTED[row]

    def said():
        log = log_of(deployment, row)
        return error in log and advice in log.replace("\\u003e", ">")

    # Airflow writes a task's last lines after its state.
    deployment.until(said, f"{error} and {advice!r} are not in the log of {row}")


@pytest.mark.parametrize("row", EXPECTED)
def test_every_error_row_stops_or_waits_as_the_policy_says(tries, row):
    _, advice, delay = EXPECTED[row]
    state, waits, reason = tries[row]
    if delay is STOP:
        assert (state, waits) == ("failed", None)
        return
    assert state == "up_for_retry"
    if row in {"rate_limit", "http_503"}:
        assert delay <= waits <= 1.25 * delay, "what the service asks for is not shortened"
    else:
        assert 0.75 * delay <= waits <= delay
    assert advice in reason
    assert "Next try in" in reason


def test_a_delivered_picture_is_in_xcom_whole_and_by_its_url(deployment, errors, tries, keyed_sandbox):
    run_id = errors["talecraft_errors"]
    result = deployment.xcom("talecraft_errors", run_id, "delivered")
    assert deployment.xcom("talecraft_errors", run_id, "delivered", key="image_url") == result["image_url"]
    assert result["image_url"].startswith(keyed_sandbox.url)
    assert {key: result[key] for key in ("prompt", "style", "aspect_ratio", "status")} == {
        "prompt": "A fox, then delivered.",
        "style": "children_book",
        "aspect_ratio": "1:1",
        "status": "success",
    }
    assert set(result) == {"id", "status", "image_url", "prompt", "style", "aspect_ratio"}


def test_a_wrong_connection_is_found_before_the_record_says_that_something_was_sent(deployment, errors, tries):
    run = f"/dags/talecraft_errors/dagRuns/{quote(errors['talecraft_errors'])}/taskInstances"
    assert deployment.api(f"{run}/missing_key/state-store")["total_entries"] == 0
    assert deployment.api(f"{run}/invalid_key/state-store")["total_entries"] == 1


def test_only_what_was_delivered_or_lost_was_charged(tries, keyed_sandbox):
    charged = {charge["prompt"] for charge in keyed_sandbox.ledger()["charges"]}
    assert charged == {f"A fox, then {row}." for row in ("delivered", "dropped", "html", "no_image_url", "truncated")}


def test_the_key_is_nowhere_after_all_that(deployment, tries, keyed_sandbox):
    key = keyed_sandbox.api_key
    assert len(deployment.logs("talecraft_errors")) > 10_000
    with closing(sqlite3.connect(deployment.home / "airflow.db")) as database:
        dump = "\n".join(database.iterdump())
    assert dump.count("A fox, then delivered.")
    parts = (key, key[:20], key[12:])
    assert [line[:200] for line in dump.splitlines() if any(part in line for part in parts)] == []
    files = [path for path in deployment.home.rglob("*") if path.is_file()]
    assert [path for path in files if any(part.encode() in path.read_bytes() for part in parts)] == []

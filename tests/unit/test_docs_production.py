"""docs/production.md: the runbook has every error, and says what the policy and the errors themselves say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_talecraft import exceptions
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.version_compat import RetryAction

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "production.md").read_text()
ROW = re.compile(r"^\| `(TaleCraft\w*Error)` \| (.*?) \| ?(.*?) ?\| (.*?) \| (.*?) \|$", re.MULTILINE)
ROWS = {
    name: dict(zip(("seen", "charged", "by_itself", "what_to_do"), cells, strict=True))
    for name, *cells in ROW.findall(PAGE)
}
CHARGED = {"refused": "no", "unknown": "perhaps"}


def family(error):
    yield error
    for child in error.__subclasses__():
        yield from family(child)


#: Those that batch/ has for itself never leave it.
ERRORS = [error for error in family(exceptions.TaleCraftError) if error.__module__ == exceptions.__name__]


def decide(error, try_number=1, **parameters):
    return TaleCraftRetryPolicy(chance=lambda: 0.0, **parameters).evaluate(error("What happened."), try_number, 10)


def test_the_runbook_has_a_row_for_each_error_and_no_other():
    assert set(ROWS) == {error.__name__ for error in ERRORS}
    assert len(re.findall(r"^\| `TaleCraft\w*Error` \|", PAGE, re.MULTILINE)) == len(ROWS)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_whether_something_was_charged_is_what_the_error_says(error):
    if error.outcome is not None:
        assert ROWS[error.__name__]["charged"] == CHARGED[error.outcome]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_what_happens_by_itself_is_the_policys_decision(error):
    row, decision = ROWS[error.__name__]["by_itself"], decide(error)
    word = {
        RetryAction.FAIL: "stops",
        RetryAction.RETRY: "retries after `Retry-After`, else",
        RetryAction.DEFAULT: "is Airflow's to retry",
    }[decision.action]
    assert row.startswith(word)
    if decision.retry_delay is not None:
        assert f"else {decision.retry_delay.total_seconds():.0f} s" in row
        longest = decide(error, 9).retry_delay
        assert longest in (None, decision.retry_delay) or f"doubling to {longest.total_seconds():.0f} s" in row


def test_what_a_row_says_of_a_replay_and_of_credits_is_so():
    assert "while a replay is left, else stops" in ROWS["TaleCraftOutcomeUnknownError"]["by_itself"]
    assert decide(exceptions.TaleCraftOutcomeUnknownError, 2).action == RetryAction.FAIL
    assert "with `wait_for_credits` retries" in ROWS["TaleCraftInsufficientCreditsError"]["by_itself"]


def test_every_row_says_what_to_do():
    assert all(len(row["what_to_do"]) > 10 for row in ROWS.values())


def test_the_base_class_is_never_raised_itself():
    package = Path(exceptions.__file__).parent
    assert not [path for path in package.rglob("*.py") if re.search(r"raise TaleCraftError\b", path.read_text())]


@pytest.mark.parametrize("page", ["production.md", "kubernetes.md"])
def test_every_grace_period_is_longer_than_a_request_may_take(page, connect):
    text = (DOCS / page).read_text()
    connect(password="tc-secret")
    read_timeout = TaleCraftHook().settings.read_timeout
    assert f"`read_timeout` of the connection ({read_timeout:.0f} s)" in " ".join(
        (DOCS / "kubernetes.md").read_text().split()
    )
    graces = [int(seconds) for seconds in re.findall(r"TimeoutStopSec=(\d+)", text)]
    graces += [60 * int(minutes) for minutes in re.findall(r"stop_grace_period: (\d+)m", text)]
    graces += [int(seconds) for seconds in re.findall(r"termination_grace_period_seconds=(\d+)", text)]
    assert graces
    assert min(graces) >= read_timeout + 60


@pytest.mark.parametrize("path", re.findall(r"`(tests/[\w/.]+)`", PAGE + (DOCS / "kubernetes.md").read_text()))
def test_every_test_that_is_named_is_there(path):
    assert (DOCS.parent / path).exists()

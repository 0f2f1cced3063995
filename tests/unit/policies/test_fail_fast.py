"""What a person reads in a failed task's log at first sight."""

from __future__ import annotations

import traceback

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from state_store import Store, TaskInstance

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.policies import fail_fast
from airflow_provider_talecraft.policies.fail_fast import LINE, failing_fast, in_short_lines
from airflow_provider_talecraft.version_compat import RetryDecision


def test_a_failed_tasks_log_says_in_short_lines_what_happened_what_may_be_charged_and_what_to_do(connected, caplog):
    connected.fault(drop="after_charge", times=None)
    one = GenerateIllustrationOperator(task_id="t", prompt="A fox", max_replays=0)
    with pytest.raises(Exception, match="may have been charged") as caught:
        one.execute({"ti": TaskInstance(), "task_state_store": Store()})
    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(lines) > 3
    assert max(map(len, lines)) <= LINE
    text = " ".join(lines)
    for fact in ("No answer came back", "charged", "max_replays=0", "delete the key 'talecraft'", "clear the task"):
        assert text.count(fact) == 1 or fact == "charged"
    frames = "".join(traceback.format_exception(caught.value))
    assert "tenacity" not in frames
    assert "urllib3" not in frames


def test_the_last_request_without_an_answer_is_named_too(connected, caplog):
    store = Store()
    connected.fault(drop="after_charge", times=None)
    one = GenerateIllustrationOperator(task_id="t", prompt="A fox", max_replays=1)
    with pytest.raises(errors.TaleCraftOutcomeUnknownError):
        one.execute({"ti": TaskInstance(), "task_state_store": store})
    caplog.clear()
    with pytest.raises(Exception, match="not sent again"):
        one.execute({"ti": TaskInstance(try_number=2), "task_state_store": store})
    said = " ".join(record.getMessage() for record in caplog.records if record.levelname == "ERROR")
    moments = store.get("talecraft")["unanswered"]
    assert len(moments) == 2
    assert all(moment in said for moment in moments)


@pytest.mark.parametrize("text", ["", "One.", "x" * 300, "One sentence. " * 9, "s3://a/b.c. Two.", "1.5 s. Next."])
def test_short_lines_lose_nothing(text):
    lines = in_short_lines(text)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line) <= LINE for line in lines)


class Policy:
    """Remembers what it was asked."""

    def __init__(self, decision=None):
        self.asked = []
        self._decision = decision

    def evaluate(self, *arguments):
        self.asked.append(arguments)
        return self._decision


def outcome_of(error, policy):
    """Return what the task fails with, and the context in which it did."""
    context = {"ti": TaskInstance(try_number=2, max_tries=5)}
    with pytest.raises(type(error) if not isinstance(error, errors.TaleCraftError) else Exception) as caught:
        with failing_fast(policy, context):
            raise error
    return caught.value, context


UNAVAILABLE = errors.TaleCraftUnavailableError("HTTP 503.", status_code=503, retry_after=7.0)
REFUSED = errors.TaleCraftAuthenticationError("Invalid API key.")


def test_where_airflow_asks_no_policy_it_is_asked_here_and_a_stop_is_not_retried(monkeypatch):
    monkeypatch.setattr(fail_fast, "HAS_RETRY_POLICY", False)
    policy = Policy(RetryDecision.fail(reason="Enough."))
    failure, context = outcome_of(UNAVAILABLE, policy)
    assert type(failure) is AirflowFailException
    assert str(failure) == "TaleCraftUnavailableError: Enough."
    assert policy.asked == [(UNAVAILABLE, 2, 5, context)]


def test_where_the_policy_retries_the_error_stays_what_it_is_without_the_frames_of_libraries(monkeypatch):
    monkeypatch.setattr(fail_fast, "HAS_RETRY_POLICY", False)
    failure, _ = outcome_of(UNAVAILABLE, Policy(RetryDecision.retry(reason="Later.")))
    assert (type(failure), str(failure)) == (errors.TaleCraftUnavailableError, "HTTP 503.")
    assert (failure.status_code, failure.retry_after) == (503, 7.0)
    assert failure.__suppress_context__


def test_where_airflow_asks_the_policy_it_is_not_asked_twice(monkeypatch):
    monkeypatch.setattr(fail_fast, "HAS_RETRY_POLICY", True)
    policy = Policy()
    failure, _ = outcome_of(REFUSED, policy)
    assert (type(failure), str(failure), policy.asked) == (errors.TaleCraftAuthenticationError, "Invalid API key.", [])
    assert failure.__suppress_context__


@pytest.mark.parametrize("has_retry_policy", [True, False])
def test_without_a_policy_the_default_one_decides(monkeypatch, has_retry_policy):
    monkeypatch.setattr(fail_fast, "HAS_RETRY_POLICY", has_retry_policy)
    assert type(outcome_of(REFUSED, None)[0]) is AirflowFailException
    assert type(outcome_of(UNAVAILABLE, None)[0]) is errors.TaleCraftUnavailableError


def test_what_is_no_error_of_ours_passes(caplog):
    error = ValueError("A bug.")
    assert outcome_of(error, Policy())[0] is error
    assert not caplog.records


def test_a_sentence_has_a_line_of_its_own():
    assert in_short_lines("HTTP 503. Retry later! Why? it stays. 9 of 10.") == [
        "HTTP 503.", "Retry later!", "Why? it stays. 9 of 10.",
    ]  # fmt: skip


def test_a_line_is_as_long_as_airflows_page_shows():
    assert LINE - 5 < len(in_short_lines("word " * 99)[0]) <= LINE

"""The policy's table, row by row, with chance passed in."""

from __future__ import annotations

import copy
import inspect
import pickle
from datetime import timedelta

import pytest

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.policies import retry
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY, RetryAction, RetryDecision, RetryPolicy

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def never():
    return 0.0


def decide(error, try_number=1, max_tries=10, **parameters):
    return TaleCraftRetryPolicy(chance=never, **parameters).evaluate(error, try_number, max_tries)


def delays(error, tries, **parameters):
    return [decide(error, try_number, **parameters).retry_delay for try_number in tries]


@pytest.mark.parametrize(
    "error",
    [
        errors.TaleCraftAuthenticationError("Invalid API key"),
        errors.TaleCraftInvalidRequestError("Unsupported style"),
        errors.TaleCraftInsufficientCreditsError("insufficient credits"),
    ],
)
def test_what_a_wait_cannot_change_stops_with_its_own_sentence(error):
    assert decide(error) == RetryDecision.fail(reason=str(error))


def test_a_top_up_can_be_waited_for():
    decision = decide(errors.TaleCraftInsufficientCreditsError("No credits."), wait_for_credits=timedelta(hours=6))
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(hours=6))


def test_waiting_for_credits_uses_up_no_retry_where_airflow_can_reschedule(monkeypatch):
    class Newer:
        RESCHEDULE = "reschedule"

    monkeypatch.setattr(retry, "RetryAction", Newer)
    decision = decide(errors.TaleCraftInsufficientCreditsError("No credits."), 99, 3, wait_for_credits=MINUTE)
    assert (decision.action, decision.retry_delay) == ("reschedule", MINUTE)
    assert decision.reason == "No credits. Looking again in 0:01:00; no retry is used up."


def test_a_rate_limit_waits_as_long_as_the_service_asks():
    error = errors.TaleCraftRateLimitError("Slow down.", retry_after=7)
    assert delays(error, [1, 5]) == [7 * SECOND, 7 * SECOND]


@pytest.mark.parametrize(
    "kind",
    [
        errors.TaleCraftUnavailableError, errors.TaleCraftGenerationFailedError, errors.TaleCraftOutcomeUnknownError,
    ],
)  # fmt: skip
def test_every_other_error_that_is_retried_waits_as_long_as_the_service_asks_too(kind):
    assert delays(kind("Later.", retry_after=3600), [1]) == [60 * MINUTE]


def test_a_retry_after_changes_no_stop():
    assert decide(errors.TaleCraftInvalidRequestError("403", retry_after=5)).action == RetryAction.FAIL
    assert decide(errors.TaleCraftOutcomeUnknownError("502", retry_after=5), 2).action == RetryAction.FAIL


def test_what_the_service_asks_for_is_jittered_upwards_only():
    error = errors.TaleCraftRateLimitError("Slow down.", retry_after=100)
    decision = TaleCraftRetryPolicy(chance=lambda: 0.999).evaluate(error, 1, 3)
    assert 100 * SECOND < decision.retry_delay <= 125 * SECOND


def test_a_retry_after_of_years_is_taken_for_a_mistake():
    assert delays(errors.TaleCraftRateLimitError("Slow down.", retry_after=1e12), [1]) == [timedelta(days=1)]


def test_a_rate_limit_without_retry_after_waits_a_minute():
    assert delays(errors.TaleCraftRateLimitError("Slow down."), [1, 2, 9]) == [MINUTE] * 3
    assert delays(errors.TaleCraftRateLimitError("Slow down."), [1], rate_limit_delay=5 * SECOND) == [5 * SECOND]


def test_unavailable_waits_a_minute_doubling_to_fifteen():
    error = errors.TaleCraftUnavailableError("HTTP 503")
    assert delays(error, [1, 2, 3, 4, 5, 6, 1000]) == [MINUTE * n for n in (1, 2, 4, 8, 15, 15, 15)]
    assert delays(error, [1, 2, 3], unavailable_delay=SECOND, unavailable_max_delay=2 * SECOND) == [
        SECOND, 2 * SECOND, 2 * SECOND,
    ]  # fmt: skip


def test_a_failed_generation_waits_half_a_minute_doubling_to_ten():
    error = errors.TaleCraftGenerationFailedError("Generation failed")
    assert delays(error, [1, 2, 3, 4, 5, 6]) == [SECOND * n for n in (30, 60, 120, 240, 480, 600)]
    assert delays(error, [1, 9], generation_failed_delay=SECOND, generation_failed_max_delay=3 * SECOND) == [
        SECOND, 3 * SECOND,
    ]  # fmt: skip


@pytest.mark.parametrize(("left", "action"), [(2, RetryAction.RETRY), (1, RetryAction.RETRY), (0, RetryAction.FAIL)])
@pytest.mark.parametrize("try_number", [1, 7])
def test_an_unknown_outcome_is_retried_while_the_record_has_a_replay_left(left, action, try_number):
    error = errors.TaleCraftOutcomeUnknownError("No answer.")
    error.replays_left = left
    decision = decide(error, try_number)
    assert decision.action == action
    assert decision.retry_delay == (MINUTE if left else None)


@pytest.mark.parametrize(("max_replays", "stops_at"), [(0, 1), (1, 2), (3, 4)])
def test_without_a_record_every_earlier_try_counts_as_a_replay(max_replays, stops_at):
    error = errors.TaleCraftOutcomeUnknownError("No answer.")
    actions = [decide(error, number, max_replays=max_replays).action for number in range(1, 6)]
    assert actions == [RetryAction.RETRY] * (stops_at - 1) + [RetryAction.FAIL] * (6 - stops_at)


def test_the_wait_before_a_replay_is_a_parameter():
    assert delays(errors.TaleCraftOutcomeUnknownError("?"), [1], outcome_unknown_delay=3 * SECOND) == [3 * SECOND]


@pytest.mark.parametrize(
    "error", [errors.TaleCraftDownloadError("404"), errors.TaleCraftError("?"), ValueError(), KeyboardInterrupt()]
)
def test_anything_else_is_left_to_airflow(error):
    assert decide(error) == RetryDecision.default()


def test_a_delay_is_shortened_by_up_to_a_quarter_so_that_tasks_do_not_return_as_one():
    error = errors.TaleCraftUnavailableError("HTTP 503")
    seen = {TaleCraftRetryPolicy().evaluate(error, 1, 3).retry_delay for _ in range(50)}
    assert len(seen) > 1
    assert all(45 * SECOND <= delay <= MINUTE for delay in seen)


def test_half_of_chance_is_half_of_a_quarter():
    policy = TaleCraftRetryPolicy(chance=lambda: 0.5)
    assert policy.evaluate(errors.TaleCraftUnavailableError("x"), 1, 3).retry_delay == 52.5 * SECOND
    asked = errors.TaleCraftUnavailableError("x", retry_after=80)
    assert policy.evaluate(asked, 1, 3).retry_delay == 90 * SECOND


def test_a_wait_is_told_in_whole_seconds():
    policy = TaleCraftRetryPolicy(chance=lambda: 0.13)
    assert policy.evaluate(errors.TaleCraftUnavailableError("x."), 1, 3).reason == "x. Next try in 0:00:58."


def test_no_wait_and_a_longest_wait_that_is_the_first_one_are_values_like_others():
    policy = {"rate_limit_delay": timedelta(0), "unavailable_delay": SECOND, "unavailable_max_delay": SECOND}
    assert delays(errors.TaleCraftRateLimitError("x"), [1], **policy) == [timedelta(0)]
    assert delays(errors.TaleCraftUnavailableError("x"), [1, 2], **policy) == [SECOND, SECOND]
    assert delays(errors.TaleCraftInsufficientCreditsError("x"), [1], wait_for_credits=timedelta(0)) == [timedelta(0)]


def test_a_wrong_delay_is_told_with_the_least_that_it_may_be():
    with pytest.raises(ValueError, match=r"^unavailable_max_delay must be at least 0:02:00, not 0:01:00\.$"):
        TaleCraftRetryPolicy(unavailable_delay=2 * MINUTE, unavailable_max_delay=MINUTE)


def test_a_reason_says_what_happens_next():
    assert decide(errors.TaleCraftUnavailableError("HTTP 503."), 3, 3).reason == "HTTP 503. Next try in 0:04:00."
    assert decide(errors.TaleCraftUnavailableError("HTTP 503."), 2, 3).reason == "HTTP 503. Next try in 0:02:00."


def test_a_reason_stays_true_when_the_retries_are_used_up():
    assert decide(errors.TaleCraftUnavailableError("HTTP 503."), 4, 3).reason == (
        "HTTP 503. It was try 4: no retry is left."
    )


@pytest.mark.parametrize(
    "name", [name for name in inspect.signature(TaleCraftRetryPolicy).parameters if name.endswith("delay")]
)
@pytest.mark.parametrize("value", [timedelta(seconds=-1), 60, None, "60"])
def test_a_wrong_delay_is_named_when_the_dag_is_parsed(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        TaleCraftRetryPolicy(**{name: value})


@pytest.mark.parametrize(
    "parameters",
    [
        {"wait_for_credits": timedelta(seconds=-1)},
        {"wait_for_credits": 3600},
        {"max_replays": -1},
        {"max_replays": "1"},
        {"max_replays": True},
        {"unavailable_delay": MINUTE, "unavailable_max_delay": SECOND},
        {"generation_failed_delay": MINUTE, "generation_failed_max_delay": SECOND},
    ],
)
def test_a_wrong_parameter_is_refused_when_the_dag_is_parsed(parameters):
    named = list(parameters)[-1]
    with pytest.raises(ValueError, match=f"^{named} must be"):
        TaleCraftRetryPolicy(**parameters)


def test_it_survives_what_airflow_does_to_operators():
    policy = TaleCraftRetryPolicy(rate_limit_delay=SECOND)
    for again in (copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        assert again.rate_limit_delay == SECOND


@pytest.mark.skipif(not HAS_RETRY_POLICY, reason="retry policies came with Airflow 3.3")
def test_it_composes_with_a_users_own_policy():
    class Patient(RetryPolicy):
        def evaluate(self, exception, try_number, max_tries, context=None):
            if isinstance(exception, errors.TaleCraftGenerationFailedError):
                return RetryDecision.retry(timedelta(hours=1))
            return RetryDecision.default()

    try:
        from airflow.providers.common.compat.sdk import ChainRetryPolicy
    except ImportError:
        pytest.skip("ChainRetryPolicy came with common-compat 1.21, which needs Python 3.11")
    chain = ChainRetryPolicy([Patient(), TaleCraftRetryPolicy()])
    assert chain.evaluate(errors.TaleCraftGenerationFailedError("x"), 1, 3).retry_delay == timedelta(hours=1)
    assert chain.evaluate(errors.TaleCraftAuthenticationError("x"), 1, 3).action == RetryAction.FAIL
    assert chain.evaluate(ValueError("x"), 1, 3).action == RetryAction.DEFAULT


def test_a_spent_day_stops_and_with_wait_for_credits_is_over_at_midnight_and_not_before():
    error = errors.TaleCraftSpendLimitError("4 credits were spent today.", retry_after=3600)
    assert decide(error) == RetryDecision.fail(reason=str(error))
    assert decide(error, wait_for_credits=MINUTE).retry_delay == 60 * MINUTE
    late = TaleCraftRetryPolicy(chance=lambda: 0.5, wait_for_credits=timedelta(hours=4))
    assert late.evaluate(error, 1, 10).retry_delay == 90 * MINUTE
    assert late.evaluate(errors.TaleCraftSpendLimitError("Spent."), 1, 10).retry_delay == 30 * MINUTE

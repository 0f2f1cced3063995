"""Of many failed illustrations one error comes, and the policy does with it what is right for all."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.models import IllustrationRequest
from airflow_provider_talecraft.batch.failures import NAMED, Failures
from airflow_provider_talecraft.batch.prompts import Item
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.version_compat import RetryAction


def unknown(left):
    error = errors.TaleCraftOutcomeUnknownError("No answer.")
    error.replays_left = left
    return error


def failures(*several):
    found = Failures()
    for index, error in enumerate(several):
        found.add(Item(index, f"page-{index}", IllustrationRequest("A fox")), error)
    return found


INVALID = errors.TaleCraftInvalidRequestError("Unsupported style")
FAILED = errors.TaleCraftGenerationFailedError("Generation failed")
AWAY = errors.TaleCraftUnavailableError("HTTP 503", status_code=503)
UNREADABLE = AirflowFailException("The record cannot be read")


@pytest.mark.parametrize(
    ("several", "expected", "action"),
    [
        ([INVALID], errors.TaleCraftInvalidRequestError, RetryAction.FAIL),
        ([INVALID, FAILED], errors.TaleCraftGenerationFailedError, RetryAction.RETRY),
        ([FAILED, AWAY, INVALID], errors.TaleCraftUnavailableError, RetryAction.RETRY),
        ([FAILED, unknown(1)], errors.TaleCraftOutcomeUnknownError, RetryAction.RETRY),
        ([unknown(0), FAILED], errors.TaleCraftGenerationFailedError, RetryAction.RETRY),
        ([unknown(0), unknown(1)], errors.TaleCraftOutcomeUnknownError, RetryAction.RETRY),
        ([INVALID, unknown(0)], errors.TaleCraftOutcomeUnknownError, RetryAction.FAIL),
        ([UNREADABLE, FAILED], errors.TaleCraftGenerationFailedError, RetryAction.RETRY),
    ],
)
def test_the_class_is_that_of_what_another_try_may_help_and_else_one_at_which_the_policy_stops(
    several, expected, action
):
    for order in (several, several[::-1]):
        error = failures(*order).error("Some failed.")
        assert type(error) is expected
        assert TaleCraftRetryPolicy().evaluate(error, 1, 3).action is action


def test_only_unreadable_records_fail_the_task_for_good():
    assert type(failures(UNREADABLE).error("Some failed.")) is AirflowFailException


def test_what_the_service_said_is_handed_on():
    error = failures(AWAY).error("x")
    assert error.status_code == 503


def test_the_message_names_key_and_reason():
    message = str(failures(INVALID, FAILED).error("2 of 3 failed."))
    assert message.startswith("2 of 3 failed. prompts[0] ('page-0'): TaleCraftInvalidRequestError: Unsupported style; ")
    assert "prompts[1] ('page-1'): TaleCraftGenerationFailedError: Generation failed" in message


def test_the_message_does_not_grow_without_end():
    found = failures(*[errors.TaleCraftGenerationFailedError("long " * 1000)] * 5000)
    assert found.count == 5000
    assert f"and {5000 - NAMED} more" in str(found)
    assert len(str(found.error("x"))) < 10_000

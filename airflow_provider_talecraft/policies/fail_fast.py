"""Where Airflow asks no retry policy, the operators ask one themselves and give up at what it stops at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.exceptions import TaleCraftError, TaleCraftOutcomeUnknownError
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY, RetryAction

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_talecraft.version_compat import RetryPolicy

DEFAULT_POLICY = TaleCraftRetryPolicy()


def count_tries_as_replays(error: BaseException, *, max_replays: int, try_number: int) -> None:
    """Say in *error* how many replays are left where no record counts them: every earlier try may have been one."""
    if isinstance(error, TaleCraftOutcomeUnknownError) and error.replays_left is None:
        error.replays_left = max(0, max_replays - (try_number - 1))


def raise_if_policy_stops(error: TaleCraftError, policy: RetryPolicy | None, context: Context) -> None:
    """Raise AirflowFailException in place of *error* if a policy would stop at it, and Airflow asks none.

    :raises AirflowFailException: then.
    """
    if HAS_RETRY_POLICY and policy is not None:
        return
    ti = context["ti"]
    decision = (policy or DEFAULT_POLICY).evaluate(error, ti.try_number, ti.max_tries, context)
    if decision.action is RetryAction.FAIL:
        raise AirflowFailException(f"{type(error).__name__}: {decision.reason}") from error

"""Where Airflow asks no retry policy, the operators ask one themselves and fail at once where it stops."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.exceptions import TaleCraftError
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY, RetryAction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_talecraft.version_compat import RetryPolicy

DEFAULT_POLICY = TaleCraftRetryPolicy()


@contextmanager
def failing_fast(policy: RetryPolicy | None, context: Context) -> Iterator[None]:
    """Turn an error at which *policy* stops into one that Airflow does not retry, if Airflow does not ask the policy.

    :raises AirflowFailException: then.
    """
    try:
        yield
    except TaleCraftError as error:
        if HAS_RETRY_POLICY and policy is not None:
            raise
        ti = context["ti"]
        decision = (policy or DEFAULT_POLICY).evaluate(error, ti.try_number, ti.max_tries, context)
        if decision.action is RetryAction.FAIL:
            raise AirflowFailException(f"{type(error).__name__}: {decision.reason}") from error
        raise

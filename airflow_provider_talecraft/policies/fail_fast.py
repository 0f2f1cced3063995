"""What a task does with an error: say it in short lines, and fail at once where a policy stops and nobody asks it."""

from __future__ import annotations

import logging
import re
import textwrap
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

log = logging.getLogger(__name__)

DEFAULT_POLICY = TaleCraftRetryPolicy()

#: Characters of a line: Airflow's log page does not wrap, and shows about 110.
LINE = 90


@contextmanager
def failing_fast(policy: RetryPolicy | None, context: Context) -> Iterator[None]:
    """Turn an error at which *policy* stops into one that Airflow does not retry, if Airflow does not ask the policy.

    What the error says stands in the log in short lines, above Airflow's own: those begin with the whole of it in one
    line, of which a person sees the first half. The frames of libraries are left out.

    :raises AirflowFailException: then.
    """
    try:
        yield
    except TaleCraftError as error:
        for line in in_short_lines(str(error)):
            log.error("%s", line)  # noqa: TRY400  # frames come from Airflow
        if HAS_RETRY_POLICY and policy is not None:
            raise error.with_message(str(error)) from None  # without the frames
        ti = context["ti"]
        decision = (policy or DEFAULT_POLICY).evaluate(error, ti.try_number, ti.max_tries, context)
        if decision.action is RetryAction.FAIL:
            raise AirflowFailException(f"{type(error).__name__}: {decision.reason}") from None
        raise error.with_message(str(error)) from None  # without the frames


def in_short_lines(text: str) -> list[str]:
    """Return *text* with a line for each sentence, and no line longer than ``LINE``."""
    sentences = re.split(r"(?<=[.!?]) (?=[A-Z])", text)
    return [line for sentence in sentences for line in textwrap.wrap(sentence, LINE)]

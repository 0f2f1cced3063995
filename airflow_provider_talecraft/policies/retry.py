"""TaleCraftRetryPolicy: a typed error becomes retry, when, or stop. A table; it asks nobody and remembers nothing."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftError,
    TaleCraftInsufficientCreditsError,
    TaleCraftInvalidRequestError,
    TaleCraftOutcomeUnknownError,
    TaleCraftRateLimitError,
    TaleCraftSpendLimitError,
    TaleCraftUnavailableError,
)
from airflow_provider_talecraft.version_compat import RetryAction, RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.providers.common.compat.sdk import Context

#: A Retry-After beyond this is taken for a mistake; TaleCraft's longest known limit is per day.
LONGEST_RETRY_AFTER = timedelta(days=1)


class TaleCraftRetryPolicy(RetryPolicy):
    """Decide by what an error says about the money, and about whether a wait can change it.

    Read from top to bottom; a delay is shortened by up to a quarter at random, so that tasks do not return as one.

    ==================== ============================================= =========================================
    error                action                                        delay
    ==================== ============================================= =========================================
    Authentication       stop
    InvalidRequest       stop
    InsufficientCredits  stop; with ``wait_for_credits`` retry         ``wait_for_credits``
    SpendLimit           stop; with ``wait_for_credits`` retry         until midnight UTC, and a little more
    RateLimit            retry                                         Retry-After, else 60 s
    Unavailable          retry                                         Retry-After, else 60 s, doubling to 15 min
    GenerationFailed     retry                                         Retry-After, else 30 s, doubling to 10 min
    OutcomeUnknown       retry while a replay is left, else stop       Retry-After, else 60 s
    anything else        Airflow's default
    ==================== ============================================= =========================================

    A retry is bounded by the task's ``retries`` all the same. Where Airflow can reschedule a task without using up a
    retry (3.4), waiting for credits does that.

    :param rate_limit_delay: wait after a rate limit that came without a Retry-After.
    :param unavailable_delay: wait after the first try that found TaleCraft unavailable.
    :param unavailable_max_delay: longest such wait.
    :param generation_failed_delay: wait after the first try on which the model failed.
    :param generation_failed_max_delay: longest such wait.
    :param outcome_unknown_delay: wait before a request that may have been charged is sent again.
    :param wait_for_credits: how long to wait for a top-up, and up to a quarter of it past midnight UTC where the
        connection's ``credits_per_day`` are spent; None, the default, stops instead.
    :param max_replays: how often a request that may have been charged is sent again by a task that keeps no record of
        it (a plain task below Airflow 3.3); every earlier try is then counted as one. Where there is a record, the
        error itself says what is left.
    :param chance: returns a number in [0, 1), for the jitter.
    :raises ValueError: on a negative delay, a maximum below its first delay, or a negative ``max_replays``.
    """

    def __init__(
        self,
        *,
        rate_limit_delay: timedelta = timedelta(seconds=60),
        unavailable_delay: timedelta = timedelta(seconds=60),
        unavailable_max_delay: timedelta = timedelta(minutes=15),
        generation_failed_delay: timedelta = timedelta(seconds=30),
        generation_failed_max_delay: timedelta = timedelta(minutes=10),
        outcome_unknown_delay: timedelta = timedelta(seconds=60),
        wait_for_credits: timedelta | None = None,
        max_replays: int = 1,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.rate_limit_delay = _checked("rate_limit_delay", rate_limit_delay)
        self.unavailable_delay = _checked("unavailable_delay", unavailable_delay)
        self.unavailable_max_delay = _checked("unavailable_max_delay", unavailable_max_delay, unavailable_delay)
        self.generation_failed_delay = _checked("generation_failed_delay", generation_failed_delay)
        self.generation_failed_max_delay = _checked(
            "generation_failed_max_delay", generation_failed_max_delay, generation_failed_delay
        )
        self.outcome_unknown_delay = _checked("outcome_unknown_delay", outcome_unknown_delay)
        self.wait_for_credits = None if wait_for_credits is None else _checked("wait_for_credits", wait_for_credits)
        if isinstance(max_replays, bool) or not isinstance(max_replays, int) or max_replays < 0:
            raise ValueError(f"max_replays must be 0 or more, not {max_replays!r}.")
        self.max_replays = max_replays
        self.chance = chance

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,  # noqa: ARG002  # Airflow's signature
    ) -> RetryDecision:
        """Return what to do about *exception*; the reason is a sentence a person can act on.

        :param exception: what the task raised.
        :param try_number: which try it was, from 1.
        :param max_tries: the task's retries; a clear adds to them.
        """
        if not isinstance(exception, TaleCraftError) or exception.outcome is None:
            return RetryDecision.default()
        delay = self._delay(exception, try_number)
        if delay is None:
            return RetryDecision.fail(reason=str(exception))
        if isinstance(exception, TaleCraftInsufficientCreditsError) and hasattr(RetryAction, "RESCHEDULE"):
            return RetryDecision(
                action=RetryAction.RESCHEDULE,
                retry_delay=delay,
                reason=f"{exception} Looking again in {_spoken(delay)}; no retry is used up.",
            )
        if try_number > max_tries:
            # Airflow logs this as a retry and fails the task: the reason has to stay true.
            return RetryDecision.retry(delay=delay, reason=f"{exception} It was try {try_number}: no retry is left.")
        return RetryDecision.retry(delay=delay, reason=f"{exception} Next try in {_spoken(delay)}.")

    def _delay(self, error: TaleCraftError, try_number: int) -> timedelta | None:
        """Return how long to wait before the next try; None for no next try."""
        if isinstance(error, (TaleCraftAuthenticationError, TaleCraftInvalidRequestError)):
            return None
        if isinstance(error, TaleCraftSpendLimitError) and self.wait_for_credits is not None:
            # No look before midnight can help; a little later, so that tasks do not return as one.
            return timedelta(seconds=error.retry_after or 0) + self.wait_for_credits * self.chance() / 4
        if isinstance(error, TaleCraftInsufficientCreditsError):
            return self.wait_for_credits
        delay = self._own_delay(error, try_number)
        if delay is None or error.retry_after is None:
            return delay
        # What the service asks for is not shortened.
        asked = timedelta(seconds=min(error.retry_after, LONGEST_RETRY_AFTER.total_seconds()))
        return asked * (1 + self.chance() / 4)

    def _own_delay(self, error: TaleCraftError, try_number: int) -> timedelta | None:
        """Return how long to wait where the service does not say."""
        if isinstance(error, TaleCraftRateLimitError):
            return self._growing(self.rate_limit_delay, self.rate_limit_delay, try_number)
        if isinstance(error, TaleCraftUnavailableError):
            return self._growing(self.unavailable_delay, self.unavailable_max_delay, try_number)
        if isinstance(error, TaleCraftOutcomeUnknownError):
            left = self.max_replays - (try_number - 1) if error.replays_left is None else error.replays_left
            delay = self._growing(self.outcome_unknown_delay, self.outcome_unknown_delay, try_number)
            return delay if left > 0 else None
        return self._growing(self.generation_failed_delay, self.generation_failed_max_delay, try_number)

    def _growing(self, first: timedelta, longest: timedelta, try_number: int) -> timedelta:
        """Return *first* doubled with every try up to *longest*, shortened by up to a quarter."""
        factor: int = 2 ** min(max(try_number - 1, 0), 32)  # beyond any longest delay, and never an overflow
        return min(first * factor, longest) * (1 - self.chance() / 4)


def _checked(name: str, delay: timedelta, at_least: timedelta = timedelta(0)) -> timedelta:
    if not isinstance(delay, timedelta):
        raise ValueError(f"{name} must be a timedelta, not {delay!r}.")  # noqa: TRY004  # one class for a wrong value
    if delay < at_least:
        raise ValueError(f"{name} must be at least {at_least}, not {delay}.")
    return delay


def _spoken(delay: timedelta) -> str:
    return str(timedelta(seconds=round(delay.total_seconds())))

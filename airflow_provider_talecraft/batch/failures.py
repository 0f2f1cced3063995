"""From many failed illustrations to the one error a task can raise: it names them, and its class fits them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.exceptions import (
    TaleCraftDownloadError,
    TaleCraftError,
    TaleCraftGenerationFailedError,
    TaleCraftOutcomeUnknownError,
    TaleCraftRateLimitError,
    TaleCraftUnavailableError,
)

if TYPE_CHECKING:
    from airflow_provider_talecraft.batch.prompts import Item

#: How many failed illustrations a message names, and how many characters it gives to each: enough for what is at
#: stake after a lost answer and how to go on.
NAMED = 10
REASON_LIMIT = 800

#: Errors that another try may end otherwise, the one with the longest wait first.
PASSING = (
    TaleCraftRateLimitError,
    TaleCraftUnavailableError,
    TaleCraftOutcomeUnknownError,
    TaleCraftGenerationFailedError,
    # Paid for, and not fetched yet.
    TaleCraftDownloadError,
)


class Failures:
    """The failed illustrations of one try. Keeps the first few by name, and of the others only what decides."""

    def __init__(self) -> None:
        self.count = 0
        self._named: list[str] = []
        self._decisive: TaleCraftError | AirflowFailException | None = None

    def add(self, item: Item, error: TaleCraftError | AirflowFailException) -> None:
        """Note that *item* ended in *error*."""
        self.count += 1
        if len(self._named) < NAMED:
            self._named.append(f"{item}: {reason(error)}")
        if self._decisive is None or _rank(error) < _rank(self._decisive):
            self._decisive = error

    def __str__(self) -> str:
        others = f"; and {self.count - len(self._named)} more" if self.count > len(self._named) else ""
        return "; ".join(self._named) + others

    def error(self, message: str) -> TaleCraftError | AirflowFailException:
        """Return the error that makes a retry policy do what is right for all of them, with *message* before them.

        If another try may help one of them, it is of that one's class: the others cost nothing meanwhile. Else it is of
        a class at which the policy stops.
        """
        text = f"{message} {self}"
        if not isinstance(self._decisive, TaleCraftError):
            return AirflowFailException(text)
        return self._decisive.with_message(text)


def reason(error: BaseException) -> str:
    """Return *error* in one short line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= REASON_LIMIT else text[:REASON_LIMIT] + "…"


def _rank(error: TaleCraftError | AirflowFailException) -> float:
    """Return a number, the lower the more it decides."""
    if isinstance(error, TaleCraftOutcomeUnknownError) and error.replays_left == 0:
        return len(PASSING)  # no retry, but it is about money
    for rank, kind in enumerate(PASSING):
        if isinstance(error, kind):
            return rank
    return len(PASSING) + 1

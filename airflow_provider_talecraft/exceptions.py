"""Every error this package raises, and what became of the request behind it. Imports nothing of the package.

    TaleCraftError
    ├── TaleCraftAuthenticationError        refused
    ├── TaleCraftInvalidRequestError        refused
    ├── TaleCraftInsufficientCreditsError   refused
    │   └── TaleCraftSpendLimitError        refused: by credits_per_day, before anything was sent
    ├── TaleCraftRateLimitError             refused
    ├── TaleCraftUnavailableError           refused
    ├── TaleCraftGenerationFailedError      refused
    ├── TaleCraftOutcomeUnknownError        unknown: may have been charged
    └── TaleCraftDownloadError              no generation request was involved

They are ordinary exceptions: whether to retry is the caller's decision, and ``outcome`` is the fact it rests on.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class TaleCraftError(Exception):
    """Base of all errors of this package.

    :param message: what happened, to what, and what to do next; never contains the API key.
    :param status_code: HTTP status of the answer, None if there was no answer.
    :param retry_after: seconds the service asked to wait, None if it did not say.
    """

    #: What became of the paid request: "refused" (nothing was charged), "unknown" (it may have been charged),
    #: or None where no paid request was involved.
    outcome: str | None = None

    def __init__(self, message: str, *, status_code: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.retry_after = retry_after

    def with_message(self, message: str) -> Self:
        """Return an error that says *message* and is otherwise like this one."""
        error = copy(self)
        error.args = (message,)
        return error


class TaleCraftAuthenticationError(TaleCraftError):
    """The connection has no API key, or TaleCraft does not accept it. Nothing was charged; a retry will not help."""

    outcome = "refused"


class TaleCraftInvalidRequestError(TaleCraftError):
    """The request, or the connection it would go over, is wrong. Nothing was charged; a retry will not help.

    Most are found before anything is sent.
    """

    outcome = "refused"


class TaleCraftInsufficientCreditsError(TaleCraftError):
    """The account's balance is too low. Nothing was charged; a retry helps after a top-up."""

    outcome = "refused"


class TaleCraftSpendLimitError(TaleCraftInsufficientCreditsError):
    """The connection's ``credits_per_day`` are spent. Nothing was sent; ``retry_after`` is the time to midnight UTC."""


class TaleCraftRateLimitError(TaleCraftError):
    """Too many requests at a time. Nothing was charged; a retry helps, after ``retry_after`` seconds if it is set."""

    outcome = "refused"


class TaleCraftUnavailableError(TaleCraftError):
    """TaleCraft could not be reached, or said that it is not ready. Nothing was charged; a later retry may help."""

    outcome = "refused"


class TaleCraftGenerationFailedError(TaleCraftError):
    """The model failed on this prompt. Nothing was charged; a retry or another prompt may help."""

    outcome = "refused"


class TaleCraftOutcomeUnknownError(TaleCraftError):
    """The request was sent and no usable answer came back. It may have been charged, and nothing can look it up.

    Sending it again, a *replay*, may be charged a second time.
    """

    outcome = "unknown"

    #: How many replays the task has left, where a record of it is kept; None where nobody counts.
    replays_left: int | None = None


class TaleCraftDownloadError(TaleCraftError):
    """A picture could not be fetched, or is not a picture. Fetching costs nothing; a retry is free."""

"""What one request of one task instance has cost so far: kept for the next try, which reads it.

The worker can die at any moment, so the record is written before the POST and completed after the answer:

==========  =====================================================  ==============================================
state       what it means                                          sending now is
==========  =====================================================  ==============================================
sent        a request is, or was, on its way; no answer was read   a replay: it may be charged a second time
refused     the last request was answered: not charged             free of that risk
delivered   the last request was answered: charged, result kept    needless, unless the task was cleared
==========  =====================================================  ==============================================

Where it is kept is ``store``'s: Airflow's task state store, where a person can read it on the task instance's page, or
files.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowTaskTimeout

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.api.protocol import UNKNOWN_ADVICE
from airflow_provider_talecraft.exceptions import (
    TaleCraftError,
    TaleCraftGenerationFailedError,
    TaleCraftOutcomeUnknownError,
)
from airflow_provider_talecraft.spending.entry import SHOWN_PROMPT, Entry, times
from airflow_provider_talecraft.spending.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
    from airflow_provider_talecraft.policies.options import OnClear
    from airflow_provider_talecraft.spending.store import Keeper

log = logging.getLogger(__name__)


class SpendRecord:
    """The record of one request, through all tries of its task instance.

    :param keeper: where it is kept; None keeps nothing beyond this try.
    :param fingerprint: see :func:`fingerprint`.
    :param max_tries: the task instance's.
    :param try_number: the task instance's, None outside a task; without a keeper, every earlier try may have been a
        replay.
    :param max_replays: how often a request may be sent although an earlier one had no answer.
    :param on_clear: what a clear means for a delivered picture, "regenerate" it or "reuse" it.
    :param valid_since: a delivered picture counts if it was delivered at this ``max_tries`` or a later one; by default
        the task instance's, so that any clear is one.
    :param metrics: what is told of its requests; by default of no task's.
    :raises AirflowFailException: if there is a record and it cannot be read. It is not taken for "no record", since
        that could cost another charge.
    """

    def __init__(
        self,
        keeper: Keeper | None,
        *,
        fingerprint: str,
        max_tries: int,
        try_number: int | None,
        max_replays: int,
        on_clear: OnClear = "regenerate",
        valid_since: int | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._keeper = keeper
        self._metrics = metrics or Metrics()
        self._try_number = try_number
        self._max_replays = max_replays
        entry = self._load()
        if entry is None and keeper is not None and (try_number or 1) > 1:
            log.warning("No record of an earlier try was found: if one of them sent a request, this one pays again.")
        fresh = Entry("refused", fingerprint, max_tries)
        entry = entry or fresh
        same = entry.fingerprint == fingerprint
        counts = entry.max_tries >= (max_tries if valid_since is None else valid_since) or on_clear == "reuse"
        #: What an earlier try delivered and this one is to return; None if there is something to draw.
        self.delivered: dict[str, str] | None = None
        if entry.state == "delivered" and same and counts:
            self.delivered = entry.result
        elif entry.state == "delivered" and same:
            log.warning(
                "The task was cleared: the picture that an earlier run of it paid for is drawn again, for %d more "
                'credits. With on_clear="reuse" it would be returned.',
                CREDITS,
            )
        elif entry.state == "delivered":
            log.info("Another request delivered an earlier picture (%r): this one is drawn.", entry.prompt)
        # Without a clear it may be one prompt that reads differently in every try.
        another = not same and max_tries > entry.max_tries
        if entry.state == "delivered" and not self.delivered and not another:
            fresh.replays, fresh.unanswered = entry.replays, entry.unanswered
            entry = fresh
        elif another:
            if entry.unanswered:
                log.warning(
                    "An earlier request (%r) has no answer and may have been charged, sent at %s. This is another one.",
                    entry.prompt, times(entry.unanswered),
                )  # fmt: skip
            entry = fresh
        entry.fingerprint, entry.max_tries = fingerprint, max_tries
        self._entry = entry

    @property
    def was_paid(self) -> bool:
        """Whether it was paid for before this try."""
        return self.delivered is not None

    @property
    def is_own(self) -> bool:
        """Whether what is delivered was paid for by this task instance; a record has no other readers."""
        return True

    @property
    def replays_left(self) -> int | None:
        """How often a request may still be sent without an answer to the one before; None where nobody counts."""
        if self._keeper is None:
            return None if self._try_number is None else max(0, self._max_replays - (self._try_number - 1))
        return max(0, self._max_replays - self._entry.replays)

    @property
    def replays(self) -> int:
        """How often a request was sent although an earlier one had no answer, over all tries and clears."""
        return self._entry.replays

    @property
    def unanswered(self) -> int:
        """How many requests, over all tries and clears, have no answer: each may have been charged."""
        return len(self._entry.unanswered)

    def raise_if_given_up(self) -> None:
        """Raise, before anything is prepared, if a request has no answer and no replay is left.

        :raises TaleCraftOutcomeUnknownError: then.
        """
        if self._entry.state == "sent" and self.replays_left == 0:
            error = TaleCraftOutcomeUnknownError(f"An earlier request has no answer. {self._how_to_go_on()}")
            error.replays_left = 0
            raise error

    def obtain(
        self, requests: Sequence[IllustrationRequest], send: Callable[[IllustrationRequest], Illustration]
    ) -> dict[str, str]:
        """Return the illustration: the one that an earlier try was delivered, else what *send* gets for it.

        :param requests: what to ask for; the next one is asked for, at once, when the model failed on the one before.
        :return: id, status and image_url, and the prompt, if it is not the first one's.
        """
        if self.delivered:
            return self.delivered
        for number, request in enumerate(requests, start=1):
            try:
                with self.attempt(request.prompt):
                    illustration = send(request)
                break
            except TaleCraftGenerationFailedError as error:
                if number == len(requests):
                    raise
                log.warning("%s Trying the next of fallback_prompts.", error)
        result = asdict(illustration) | ({"prompt": request.prompt} if number > 1 else {})
        self.deliver(result)
        return result

    @contextmanager
    def attempt(self, prompt: str) -> Iterator[None]:
        """Send one request inside the block. What leaves the block decides what stands in the record.

        :raises TaleCraftOutcomeUnknownError: before the block, if an earlier request has no answer and no replay is
            left; nothing is sent. Without a keeper also in place of a timeout of the task in the block.
        """
        self.raise_if_given_up()
        entry = replace(self._entry)
        is_replay = entry.state == "sent"
        if is_replay:
            entry.replays += 1
            log.warning(
                "The request sent at %s has no answer and may have been charged. Sending again: replay %d of %d.",
                entry.unanswered[-1] if entry.unanswered else "an unknown time", entry.replays, self._max_replays,
            )  # fmt: skip
        entry.state, entry.prompt, entry.result = "sent", prompt[:SHOWN_PROMPT], None
        entry.unanswered = [*entry.unanswered, datetime.now(timezone.utc).isoformat(timespec="seconds")]
        if self._keeper:
            self._keeper.begin(entry.as_json())
        # Only now: what could not be written down is not sent, and may not have been charged.
        self._entry = entry
        if is_replay:
            self._metrics.replay()
        try:
            with self._metrics.request():
                yield
        except TaleCraftError as error:
            if error.outcome == "refused":
                entry.state = "refused"
                entry.unanswered = entry.unanswered[:-1]
                self._complete("The request was refused")
            elif isinstance(error, TaleCraftOutcomeUnknownError):
                self._complete("The request has no answer")
                error.replays_left = self.replays_left
                if error.replays_left == 0:
                    # Said once: what was advised is not done.
                    happened = " ".join(str(error).replace(UNKNOWN_ADVICE, "").split())
                    error.args = (f"{happened} {self._how_to_go_on()}",)
            raise
        except AirflowTaskTimeout as error:
            if self._keeper is not None:
                raise
            # No record would tell the next try of it.
            lost = TaleCraftOutcomeUnknownError(
                f"The task timed out while its request was on its way: it may have been charged ({error})."
            )
            lost.replays_left = self.replays_left
            raise lost from error

    def deliver(self, result: Mapping[str, str]) -> None:
        """Keep what was delivered. A store that fails now is logged: the picture is paid for, and must not be lost."""
        self._entry.state, self._entry.result = "delivered", dict(result)
        self._entry.unanswered = self._entry.unanswered[:-1]
        self._complete("The picture was delivered")

    def _load(self) -> Entry | None:
        stored = self._keeper.load() if self._keeper is not None else None
        if stored is None or self._keeper is None:
            return None
        try:
            return Entry.read(stored)
        except ValueError as error:
            raise AirflowFailException(
                f"The record of what was paid cannot be read ({error}): nothing was sent. Look at "
                f"{self._keeper.place}; delete it to draw, and pay, as if there had been no earlier try."
            ) from None

    def _complete(self, what_happened: str) -> None:
        """Write down an answer. The answer counts for more than the store: a store that fails now is only logged."""
        try:
            if self._keeper:
                self._keeper.save(self._entry.as_json())
        except Exception:
            log.exception("%s, but its record could not be completed", what_happened)

    def _how_to_go_on(self) -> str:
        delete = f"delete {self._keeper.place} and clear the task" if self._keeper else "clear the task"
        return (
            f"Up to {self.unanswered * CREDITS} credits may have been charged, for what was sent at "
            f"{times(self._entry.unanswered)}: compare your balance. It is not sent again "
            f"(max_replays={self._max_replays}). To draw it after all, and perhaps pay again, {delete}."
        )


def fingerprint(*asked_for: Any) -> str:
    """Return what tells one request from another: a digest of all that was asked for, and of whom."""
    return hashlib.sha256(json.dumps(asked_for).encode()).hexdigest()

"""What one request of one task instance has cost so far: kept in Airflow's task state store, read by the next try.

The worker can die at any moment, so the record is written before the POST and completed after the answer:

==========  =====================================================  ==============================================
state       what it means                                          sending now is
==========  =====================================================  ==============================================
sent        a request is, or was, on its way; no answer was read   a replay: it may be charged a second time
refused     the last request was answered: not charged             free of that risk
delivered   the last request was answered: charged, result kept    needless, unless the task was cleared
==========  =====================================================  ==============================================

A person can read it on the task instance's page, under Storage > Task State Store.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowTaskTimeout

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.exceptions import TaleCraftError, TaleCraftOutcomeUnknownError
from airflow_provider_talecraft.version_compat import NEVER_EXPIRE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

#: The store's key; a task that asks more than once adds a number.
KEY = "talecraft"
#: Where a person finds Airflow's store.
STORAGE = "Storage > Task State Store of this task instance"
STATES = ("refused", "sent", "delivered")
#: Characters of the prompt that the record shows: enough to know it by.
SHOWN_PROMPT = 200

OnClear = Literal["regenerate", "reuse"]


@dataclass
class Entry:
    """What stands in the store, as JSON.

    :param state: "sent", "refused" or "delivered".
    :param fingerprint: of the connection's id and of what was asked for.
    :param max_tries: the task instance's when this was written; Airflow raises it when the task is cleared.
    :param replays: how often a request was sent although an earlier one had no answer, over all tries and clears.
    :param unanswered: when each request without an answer was sent, ISO 8601 in UTC.
    :param prompt: the beginning of the last prompt sent.
    :param result: what was delivered.
    """

    state: str
    fingerprint: str
    max_tries: int
    replays: int = 0
    unanswered: list[str] = field(default_factory=list)
    prompt: str = ""
    result: dict[str, str] | None = None

    @classmethod
    def read(cls, stored: Any) -> Entry:
        """Return the entry that *stored* is.

        :raises ValueError: if it is none.
        """
        if not isinstance(stored, dict) or set(stored) != set(cls.__dataclass_fields__):
            raise ValueError("it has other fields")
        entry = cls(**stored)
        texts = [entry.fingerprint, entry.prompt, *(entry.unanswered if isinstance(entry.unanswered, list) else [None])]
        if entry.state not in STATES or not all(isinstance(text, str) for text in texts):
            raise ValueError("a text is none")
        # A bool is an int to Python, and no count to anyone.
        if not all(type(count) is int and count >= 0 for count in (entry.max_tries, entry.replays)):
            raise ValueError("a count is none")
        delivered = isinstance(entry.result, dict) and all(isinstance(text, str) for text in entry.result.values())
        if entry.state == "delivered" and not (delivered and entry.result and entry.result.get("image_url")):
            raise ValueError("it is delivered without a result")
        return entry


class SpendRecord:
    """The record of one request, through all tries of its task instance.

    :param store: Airflow's ``context["task_state_store"]``; None keeps nothing beyond this try.
    :param key: the store's key of this request.
    :param fingerprint: see :func:`fingerprint`.
    :param max_tries: the task instance's.
    :param max_replays: how often a request may be sent although an earlier one had no answer.
    :param on_clear: what a clear means for a delivered picture, "regenerate" it or "reuse" it.
    :param place: where a person finds the record, for messages; None for Airflow's own store.
    :raises AirflowFailException: if there is a record and it cannot be read. It is not taken for "no record", since
        that could cost another charge.
    """

    def __init__(
        self,
        store: Any,
        *,
        key: str,
        fingerprint: str,
        max_tries: int,
        max_replays: int,
        on_clear: OnClear,
        place: str | None = None,
    ) -> None:
        self._store = store
        self._key = key
        self._place = place or f"the key {key!r} under {STORAGE}"
        self._max_replays = max_replays
        fresh = Entry("refused", fingerprint, max_tries)
        entry = self._load() or fresh
        cleared = max_tries > entry.max_tries
        same = entry.fingerprint == fingerprint
        #: What an earlier try delivered and this one is to return; None if there is something to draw.
        self.delivered: dict[str, str] | None = None
        if entry.state == "delivered" and same and (not cleared or on_clear == "reuse"):
            self.delivered = entry.result
        elif entry.state == "delivered":
            log.info(
                "An earlier picture was delivered; %s.", "the task was cleared" if cleared else "the request changed"
            )
            fresh.replays, fresh.unanswered = entry.replays, entry.unanswered
            entry = fresh
        entry.fingerprint, entry.max_tries = fingerprint, max_tries
        self._entry = entry

    @property
    def replays_left(self) -> int | None:
        """How often a request may still be sent without an answer to the one before; None without a store."""
        return None if self._store is None else self._max_replays - self._entry.replays

    @property
    def replays(self) -> int:
        """How often a request was sent although an earlier one had no answer, over all tries and clears."""
        return self._entry.replays

    @property
    def unanswered(self) -> int:
        """How many requests, over all tries and clears, have no answer: each may have been charged."""
        return len(self._entry.unanswered)

    @contextmanager
    def attempt(self, prompt: str) -> Iterator[None]:
        """Send one request inside the block. What leaves the block decides what stands in the record.

        :raises TaleCraftOutcomeUnknownError: before the block, if an earlier request has no answer and no replay is
            left; nothing is sent. Without a store also in place of a timeout of the task in the block.
        """
        entry = self._entry
        if entry.state == "sent":
            if entry.replays >= self._max_replays:
                raise self._given_up()
            entry.replays += 1
            log.warning(
                "The request sent at %s has no answer and may have been charged. Sending again: replay %d of %d.",
                entry.unanswered[-1] if entry.unanswered else "an unknown time", entry.replays, self._max_replays,
            )  # fmt: skip
        entry.state, entry.prompt, entry.result = "sent", prompt[:SHOWN_PROMPT], None
        entry.unanswered = [*entry.unanswered, datetime.now(timezone.utc).isoformat(timespec="seconds")]
        self._save()
        try:
            yield
        except TaleCraftError as error:
            if error.outcome == "refused":
                entry.state = "refused"
                entry.unanswered = entry.unanswered[:-1]
                self._complete("The request was refused")
            elif isinstance(error, TaleCraftOutcomeUnknownError):
                error.replays_left = self.replays_left
                if error.replays_left == 0:
                    error.args = (f"{error} {self._how_to_go_on()}",)
            raise
        except AirflowTaskTimeout as error:
            if self._store is not None:
                raise
            # No record would tell the next try of it.
            raise TaleCraftOutcomeUnknownError(
                f"The task timed out while its request was on its way: it may have been charged ({error})."
            ) from error

    def deliver(self, result: Mapping[str, str]) -> None:
        """Keep what was delivered. A store that fails now is logged: the picture is paid for, and must not be lost."""
        self._entry.state, self._entry.result = "delivered", dict(result)
        self._entry.unanswered = self._entry.unanswered[:-1]
        self._complete("The picture was delivered")

    def _load(self) -> Entry | None:
        stored = self._store.get(self._key) if self._store is not None else None
        if stored is None:
            return None
        try:
            return Entry.read(stored)
        except ValueError as error:
            raise AirflowFailException(
                f"The record of what was paid cannot be read ({error}): nothing was sent. Look at {self._place}; "
                "delete it to draw, and pay, as if there had been no earlier try."
            ) from None

    def _save(self) -> None:
        if self._store is not None:
            self._store.set(self._key, asdict(self._entry), retention=NEVER_EXPIRE)

    def _complete(self, what_happened: str) -> None:
        """Write down an answer. The answer counts for more than the store: a store that fails now is only logged."""
        try:
            self._save()
        except Exception:
            log.exception("%s, but its record could not be completed", what_happened)

    def _given_up(self) -> TaleCraftOutcomeUnknownError:
        times = " and ".join(self._entry.unanswered) or "an unknown time"
        error = TaleCraftOutcomeUnknownError(
            f"The request sent at {times} has no answer and may have been charged. {self._how_to_go_on()}"
        )
        error.replays_left = 0
        return error

    def _how_to_go_on(self) -> str:
        return (
            f"It is not sent again (max_replays={self._max_replays}): up to {self.unanswered * CREDITS} credits for "
            f"{self.unanswered} unanswered request(s) are at stake. To draw it after all, and perhaps pay again, "
            f"delete {self._place} and clear the task."
        )


def fingerprint(talecraft_conn_id: str, *asked_for: Any) -> str:
    """Return what tells one request from another: a digest of the connection's id and of all that was asked for."""
    return hashlib.sha256(json.dumps([talecraft_conn_id, *asked_for]).encode()).hexdigest()


def checked_replays(max_replays: int) -> int:
    """Return *max_replays* if it is a count.

    :raises ValueError: if it is not.
    """
    if isinstance(max_replays, bool) or not isinstance(max_replays, int) or max_replays < 0:
        raise ValueError(f"max_replays must be 0 or more, not {max_replays!r}.")
    return max_replays

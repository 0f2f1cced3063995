"""Many illustrations at once: threads that ask, a main thread that tells how far they are. Knows no Airflow task.

The threads do all the asking and all the keeping of records; the main thread only waits, so that it can be interrupted
at any moment (a task's timeout is raised in it) without leaving anything half said to Airflow.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.batch.failures import Failures, reason
from airflow_provider_talecraft.batch.limiter import HaltedError, MovedBackError
from airflow_provider_talecraft.batch.progress import Progress, Tally
from airflow_provider_talecraft.batch.threads import WorkerThreads
from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftError,
    TaleCraftInsufficientCreditsError,
    TaleCraftRateLimitError,
    TaleCraftUnavailableError,
)
from airflow_provider_talecraft.policies.fail_fast import in_short_lines
from airflow_provider_talecraft.spending.metrics import TURN, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
    from airflow_provider_talecraft.batch.limiter import Limiter, Slot
    from airflow_provider_talecraft.batch.manifest import Output
    from airflow_provider_talecraft.batch.prompts import Item, Items
    from airflow_provider_talecraft.spending.once import DrawOnce
    from airflow_provider_talecraft.spending.record import SpendRecord

log = logging.getLogger(__name__)

#: What every other illustration would be refused for too. A rate limit gets here when it has not passed.
EVERYBODYS = (TaleCraftAuthenticationError, TaleCraftInsufficientCreditsError, TaleCraftRateLimitError)
#: So many unanswered or unavailable ones without a delivered one in between are no longer each one's own bad luck.
MOST_IN_A_ROW = 10


class Batch:
    """One try at a list of illustrations.

    :param items: what to draw.
    :param send: sends one request, calling its ``pace`` before every POST.
    :param limiter: the pace.
    :param record: returns the record of an item, or what draws it into its place.
    :param output: where finished ones are kept.
    :param threads: how many ask at a time.
    :param clock: returns seconds that never go backwards.
    :param metrics: what is told of the waits; by default of no task's.
    """

    def __init__(
        self,
        items: Items,
        *,
        send: Callable[..., Illustration],
        limiter: Limiter,
        record: Callable[[Item], SpendRecord | DrawOnce],
        output: Output,
        threads: int,
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
    ) -> None:
        self.tally = Tally(len(items))
        self.failures = Failures()
        #: The refusal that stopped everybody, if one did.
        self.refusal: TaleCraftError | None = None
        self._send = send
        self._limiter = limiter
        self._record = record
        self._output = output
        self._clock = clock
        self._metrics = metrics or Metrics()
        threads = min(threads, len(items))
        self._workers = WorkerThreads(items, self._finish, threads=threads, on_halt=limiter.halt)
        self._asked: list[str | None] = [None] * threads
        self._in_a_row = 0
        self._lock = threading.Lock()

    @property
    def in_flight(self) -> list[str]:
        """Names of the illustrations whose request is on its way."""
        return [name for name in list(self._asked) if name is not None]

    @property
    def halted(self) -> bool:
        """Whether nothing is started any more."""
        return self._workers.halted

    def halt(self) -> None:
        """Start nothing any more. Takes no lock: a signal handler may call it at any moment."""
        self._workers.halt()

    def run(self, *, every: float, checkpoint: Callable[[], None], tell: Callable[..., None]) -> None:
        """Ask for everything, tell how far it is, and return when no request is on its way.

        :param every: seconds between two calls of *checkpoint*, if something was finished in between.
        :param checkpoint: keeps what is finished so far.
        :param tell: takes how far it is, as small flat JSON, when the log is told, and at the beginning and end.
        :raises Exception: what went wrong in a thread that is not about an illustration. What is raised in this thread
            meanwhile, such as a timeout, halts the batch and leaves requests on their way to themselves.
        """
        progress = Progress(self.tally, self._limiter.interval, self._clock)
        kept_at, kept = self._clock(), 0

        def told() -> dict[str, Any]:
            return {**progress.facts(), "on_their_way": self.in_flight}

        def look() -> None:
            nonlocal kept_at, kept
            if progress.tell():
                tell(**told())
            finished = self.tally.delivered + self.tally.failed
            if self._clock() - kept_at >= every and finished > kept:
                checkpoint()
                kept_at, kept = self._clock(), finished

        tell(**told())
        try:
            self._workers.run(look)
            tell(**told())
        finally:
            log.info("%s.", self.tally)

    def _finish(self, item: Item, thread: int) -> None:
        """Draw *item*, unless an earlier try did, and note what became of it."""
        record = None
        replays = unanswered = 0
        try:
            record = self._record(item)
            replays, unanswered = record.replays, record.unanswered
            found, was_paid = bool(record.delivered), record.was_paid
            result = self._draw(item, record, thread)
            self._deliver(item, result, found=found, earlier=was_paid and record.is_own, others=not record.is_own)
        except HaltedError:
            pass
        except EVERYBODYS as error:
            self._refuse_all(error)
        except (TaleCraftError, AirflowFailException) as error:
            lost = record is not None and record.unanswered > unanswered
            self._fail(item, error, in_a_row=lost or isinstance(error, TaleCraftUnavailableError))
            if isinstance(error, TaleCraftUnavailableError) and error.retry_after is not None:
                self._refuse_all(error)  # it asks for a longer wait than a batch's
        finally:
            if record:
                with self._lock:
                    self.tally.replayed += record.replays - replays
                    self.tally.unanswered += record.unanswered

    def _draw(self, item: Item, record: SpendRecord | DrawOnce, thread: int) -> dict[str, Any]:
        """Return what *item* was delivered; a slot is taken only for a request that may be sent."""
        if record.delivered:
            return record.delivered
        record.raise_if_given_up()
        waits_since = self._clock()
        while True:
            try:
                with self._limiter.slot() as slot:

                    def send(
                        request: IllustrationRequest, slot: Slot = slot, since: float = waits_since
                    ) -> Illustration:
                        def pace() -> None:
                            is_first = slot.is_first
                            slot.start()
                            if is_first:
                                self._metrics.waited(slot.started - since, TURN)
                            self._asked[thread] = str(item)

                        try:
                            illustration = self._send(request, pace=pace)
                        finally:
                            slot.release()  # what comes after the answer keeps no other request waiting
                        with self._lock:
                            self.tally.paid += 1
                        return illustration

                    return record.obtain([item.request], send)
            except MovedBackError:
                continue
            except (TaleCraftRateLimitError, TaleCraftUnavailableError) as error:
                if isinstance(error, TaleCraftUnavailableError) and error.retry_after is None:
                    raise
                seconds = self._limiter.slow_down(slot, error)
                waits_since = self._clock()
                log.warning("%s: %s Everything waits for %.0f s, then goes on.", item, error, seconds)
            finally:
                self._asked[thread] = None

    def _deliver(self, item: Item, result: dict[str, Any], *, found: bool, earlier: bool, others: bool) -> None:
        self._output.add({"index": item.index, "key": item.key, **result, **item.request.payload()})
        if not found:
            self._limiter.delivered()
        with self._lock:
            self.tally.earlier += earlier
            self.tally.others += others
            if found:
                self.tally.kept += 1
            else:
                self.tally.drawn += 1
                self._in_a_row = 0

    def _fail(self, item: Item, error: TaleCraftError | AirflowFailException, *, in_a_row: bool) -> None:
        for line in in_short_lines(f"{item}: {reason(error)}"):
            log.warning("%s", line)
        self._output.add({"index": item.index, "key": item.key, "error": reason(error), **item.request.payload()})
        with self._lock:
            self.tally.failed += 1
            self.failures.add(item, error)
            self._in_a_row += in_a_row
        if in_a_row and self._in_a_row >= MOST_IN_A_ROW and isinstance(error, TaleCraftError):
            self._refuse_all(error)

    def _refuse_all(self, error: TaleCraftError) -> None:
        with self._lock:
            if self.refusal is None:
                self.refusal = error
                log.warning("Nothing more is started: every other illustration would meet the same. %s", error)
        self.halt()

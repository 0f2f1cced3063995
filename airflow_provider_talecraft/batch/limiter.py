"""How fast one task asks: so many at a time, so many a minute, evenly spaced, and all of them later when told so.

TaleCraft counts per account, so a limit that each thread kept for itself would be no limit. Here a request takes a
slot, then its slot: turns are taken one after the other, a fixed interval apart. An answer that says "slow down"
moves the next slot, and with it everybody's.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.exceptions import TaleCraftError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

MINUTE = 60.0
#: A minute is planned as this much longer: requests that start a minute apart may arrive a little less than a minute
#: apart, and the service counts arrivals.
SLACK = 1.01
#: Seconds. A thread that wakes up this late does not delay those after it; one that is later does, so that a pause of
#: the whole machine is not followed by a burst.
TOLERANCE = 0.05
#: Seconds before its start at which a request has its slot, to write down that it is about to be sent.
LEAD = 0.25
#: Seconds between two looks at whether the batch has been halted.
LOOK = 0.5

#: Seconds to wait when the service says "slow down" without saying for how long: its limit is per minute.
DEFAULT_SLOW_DOWN = 60.0
#: Seconds. To wait longer is the scheduler's, which needs no worker for it.
LONGEST_SLOW_DOWN = 300.0
#: How often in a row, without a delivered picture in between, the batch waits and goes on.
MOST_SLOW_DOWNS = 5


class NotStartedError(TaleCraftError):
    """A request was not sent after all. Never leaves the batch."""

    outcome = "refused"


class HaltedError(NotStartedError):
    """Nothing is started any more."""


class MovedBackError(NotStartedError):
    """Somebody else was told to slow down while this request prepared itself: it takes another slot."""


class Pace:
    """When the next request may start. Pure: the time is passed in, in seconds that never go backwards.

    In any minute no more than *requests_per_minute* start, whatever the delays of single threads, with 0.55 s to spare
    for arrivals that are less far apart than starts; and over many requests it is 99 % of that.

    :param requests_per_minute: at least 1.
    :param first: when the first one may start.
    """

    def __init__(self, requests_per_minute: int, *, first: float) -> None:
        self.interval = MINUTE * SLACK / requests_per_minute
        self.due = first

    def started(self, now: float) -> None:
        """Plan the start after the one that is made at *now*."""
        self.due = max(self.due, now - TOLERANCE) + self.interval

    def move_back(self, until: float) -> None:
        """Start nothing before *until*."""
        self.due = max(self.due, until)


class Limiter:
    """The pace of one task's requests; all its threads share one.

    :param max_concurrency: how many requests may be on their way at a time, at least 1.
    :param requests_per_minute: how many may start in a minute, at least 1.
    :param resting: whether the first start is a whole interval away, because an earlier try may have just ended.
    :param clock: returns seconds that never go backwards.
    :param wait: waits for a condition, at most so many seconds.
    """

    def __init__(
        self,
        *,
        max_concurrency: int,
        requests_per_minute: int,
        resting: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Condition, float], Any] = threading.Condition.wait,
    ) -> None:
        self._clock = clock
        self._wait = wait
        self._changed = threading.Condition()
        self._free = max_concurrency
        self._pace = Pace(requests_per_minute, first=clock())
        if resting:
            self._pace.started(clock())
        self._preparing: Slot | None = None
        self._slow_downs = 0
        self._slowed_at = float("-inf")
        self.halted = False

    @property
    def interval(self) -> float:
        """Seconds from one start to the next."""
        return self._pace.interval

    def slot(self) -> Slot:
        """Return a slot, to be taken with ``with``; it is over when the request has its answer."""
        return Slot(self)

    def halt(self) -> None:
        """Start nothing any more. Takes no lock: a signal handler may call it at any moment."""
        self.halted = True

    def delivered(self) -> None:
        """Note that a picture came: the slow-downs before it are over."""
        with self._changed:
            self._slow_downs = 0

    def slow_down(self, slot: Slot, error: TaleCraftError) -> float:
        """Move everybody back by what *error* asks for; return the seconds until the next start.

        :raises TaleCraftError: *error*, if it has happened too often in a row, or asks for too long.
        """
        wait = DEFAULT_SLOW_DOWN if error.retry_after is None else error.retry_after
        with self._changed:
            now = self._clock()
            if slot.started >= self._slowed_at:  # else it was on its way already when somebody was told so
                self._slow_downs += 1
                self._slowed_at = now
            # Also where the batch ends with it: another thread may be about to start.
            self._pace.move_back(now + wait)
            if wait > LONGEST_SLOW_DOWN or self._slow_downs > MOST_SLOW_DOWNS:
                raise error
            return self._pace.due - now

    def _acquire(self, slot: Slot) -> None:
        with self._changed:
            while True:
                self._refuse_if_halted()
                if self._free == 0 or self._preparing is not None:
                    self._look_again_in(LOOK)
                elif (early := self._pace.due - LEAD - self._clock()) > 0:
                    self._look_again_in(early)
                else:
                    break
            self._free -= 1
            self._preparing = slot

    def _start(self, slot: Slot) -> None:
        with self._changed:
            while True:
                self._refuse_if_halted()
                early = self._pace.due - self._clock()
                if slot.is_first and early > LEAD + TOLERANCE:
                    raise MovedBackError("A slow-down came first: nothing was sent.")
                if self._preparing not in {None, slot}:
                    self._look_again_in(LOOK)
                elif early > 0:
                    self._preparing = slot
                    self._look_again_in(early)
                else:
                    break
            slot.started = self._clock()
            self._pace.started(slot.started)
            self._leave(slot)

    def _release(self, slot: Slot) -> None:
        with self._changed:
            self._free += 1
            self._leave(slot)

    def _leave(self, slot: Slot) -> None:
        if self._preparing is slot:
            self._preparing = None
        self._changed.notify_all()

    def _look_again_in(self, seconds: float) -> None:
        self._wait(self._changed, min(max(seconds, 0.001), LOOK))

    def _refuse_if_halted(self) -> None:
        if self.halted:
            raise HaltedError("The batch was halted first: nothing was sent.")


class Slot:
    """One request's slot, from shortly before it is sent until it is answered.

    ``with`` waits until the request may prepare itself; :meth:`start` waits for the start itself.
    """

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._released = False
        #: When the request was sent last; -inf if it was not.
        self.started = float("-inf")

    @property
    def is_first(self) -> bool:
        """Whether nothing was sent in this slot yet."""
        return self.started == float("-inf")

    def __enter__(self) -> Self:
        self._limiter._acquire(self)  # noqa: SLF001  # its limiter's own
        return self

    def start(self) -> None:
        """Wait for the start. Called again for one that found no connection: each is a start of its own.

        :raises NotStartedError: if the request is not to be sent.
        """
        self._limiter._start(self)  # noqa: SLF001  # its limiter's own

    def release(self) -> None:
        """Let another request take its place, before the block ends."""
        if not self._released:
            self._released = True
            self._limiter._release(self)  # noqa: SLF001  # its limiter's own

    def __exit__(self, *_: object) -> None:
        self.release()

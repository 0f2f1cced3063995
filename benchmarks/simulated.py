"""A clock that hours take seconds on: it jumps when all threads that share a limiter wait. No task and no service."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING

from airflow_provider_talecraft.batch.limiter import Limiter

if TYPE_CHECKING:
    from airflow_provider_talecraft.batch.prompts import Item, Items


class Time:
    """A clock for threads that share a limiter: it stands still while one of them works.

    :param threads: how many there are.
    :param now: seconds.
    """

    def __init__(self, threads: int, now: float = 0.0) -> None:
        self.now = now
        #: Threads that have not ended; negative after a halt, when nobody is waited for.
        self._working = threads
        self._limiter: Limiter | None = None
        self._ends: dict[int, float] = {}
        self._asleep: list[tuple[float, int, threading.Event]] = []

    def __call__(self) -> float:
        return self.now

    def limiter(self, *, at_once: int, per_minute: int, resting: bool) -> Limiter:
        """Return the limiter, whose condition everybody is counted under."""
        self._limiter = Limiter(
            max_concurrency=at_once, requests_per_minute=per_minute, resting=resting, clock=self, wait=self.wait
        )
        return self._limiter

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait as a Condition does, which is held."""
        self._ends[threading.get_ident()] = self.now + seconds
        if not self._jump(own=1):
            condition.wait()
        del self._ends[threading.get_ident()]

    def sleep(self, seconds: float) -> None:
        """Wait for nothing but the time."""
        with self._condition:
            awake = threading.Event()
            heapq.heappush(self._asleep, (self.now + seconds, id(awake), awake))
            self._jump()
        awake.wait()

    def leave(self) -> None:
        """Count one thread less."""
        with self._condition:
            self._working -= 1
            self._jump()

    def halt(self) -> None:
        """Wake everybody: nobody is waited for any more."""
        with self._condition:
            self._working = -1
            self._condition.notify_all()
            for end, _, awake in self._asleep:
                self.now = max(self.now, end)
                awake.set()

    @property
    def _condition(self) -> threading.Condition:
        assert self._limiter  # noqa: S101  # made before the threads
        return self._limiter._changed  # noqa: SLF001  # who waits for it cannot be seen from outside

    def _jump(self, own: int = 0) -> bool:
        """Move the clock to the next end if everybody waits, *own* of them being the caller; say whether it moved."""
        waiting = len(self._condition._waiters)  # type: ignore[attr-defined]  # noqa: SLF001  # as above
        if self._working < 0:
            return True
        if waiting + len(self._asleep) + own < self._working or not self._working:
            return False
        ends = [*self._ends.values(), *(end for end, _, _ in self._asleep[:1])]
        self.now = min(ends)
        while self._asleep and self._asleep[0][0] <= self.now:
            heapq.heappop(self._asleep)[2].set()
        self._condition.notify_all()
        return True


class Counted:
    """Items that tell the clock of every thread that finds none left; their own iterator, too."""

    def __init__(self, items: Items, time: Time) -> None:
        self._items, self._time = items, time
        self._left = iter(items)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> Item:
        try:
            return next(self._left)
        except StopIteration:
            self._time.leave()
            raise

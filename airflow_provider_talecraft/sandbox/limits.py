"""How much one account may ask at once and per minute. Pure but for the clock, which is passed in.

A guess throughout: an earlier edition of the reference states such limits, and no edition says how a breach is
answered. Every request with a valid key counts, also one that a later check refuses; one that was answered with 429
does not, so that a client which keeps knocking is let in after a minute all the same.
"""

from __future__ import annotations

import math
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_talecraft.sandbox.checks import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WINDOW = 60.0
TOO_MANY = "Too many requests"


class Limits:
    """A sliding window of 60 s, and a number of seats.

    :param per_minute: requests in any 60 s; None for no limit.
    :param at_once: requests at the same time; None for no limit.
    :param patience: seconds to name in Retry-After when all seats are taken.
    :param clock: seconds that never go backwards.
    """

    def __init__(
        self, *, per_minute: int | None, at_once: int | None, patience: float, clock: Callable[[], float]
    ) -> None:
        self._per_minute = per_minute
        self._at_once = at_once
        self._patience = patience
        self._clock = clock
        self._admitted: deque[float] = deque()
        self._seated = 0

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Hold a seat for one request.

        :raises Refusal: 429 with Retry-After, where a limit is reached.
        """
        if self._at_once is not None and self._seated >= self._at_once:
            raise Refusal(TOO_MANY, status=429, retry_after=_whole(self._patience))
        if self._per_minute is not None:
            now = self._clock()
            while self._admitted and self._admitted[0] <= now - WINDOW:
                self._admitted.popleft()
            if len(self._admitted) >= self._per_minute:
                raise Refusal(TOO_MANY, status=429, retry_after=_whole(self._admitted[0] + WINDOW - now))
            self._admitted.append(now)
        self._seated += 1
        try:
            yield
        finally:
            self._seated -= 1


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))

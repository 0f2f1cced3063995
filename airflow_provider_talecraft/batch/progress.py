"""How far a batch is, and saying so now and then."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.models import CREDITS

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

#: Seconds between two lines of progress, and between two while nothing happens.
PROGRESS_INTERVAL = 5.0
QUIET_INTERVAL = 60.0


@dataclass
class Tally:
    """How far a batch is.

    :param count: all its illustrations.
    :param drawn: delivered in this try.
    :param paid: charged in this try, delivered or not: a picture that is paid for may still fail to be stored.
    :param kept: delivered before this try.
    :param earlier: delivered, and paid for by earlier tries of this task.
    :param others: delivered, and paid for by another task or another run.
    :param failed: ended in an error of their own.
    :param replayed: sent again in this try although an earlier request had no answer.
    :param unanswered: requests without an answer over all tries; each may have been charged.
    """

    count: int
    drawn: int = 0
    paid: int = 0
    kept: int = 0
    earlier: int = 0
    others: int = 0
    failed: int = 0
    replayed: int = 0
    unanswered: int = 0

    @property
    def delivered(self) -> int:
        return self.drawn + self.kept

    @property
    def left(self) -> int:
        return self.count - self.delivered - self.failed

    def summary(self) -> dict[str, int]:
        """Return the counts and the credits, as small flat JSON."""
        return {
            "count": self.count,
            "delivered": self.delivered,
            "failed": self.failed,
            "replayed": self.replayed,
            "credits": self.delivered * CREDITS,
            "credits_this_try": self.paid * CREDITS,
            "credits_unknown": self.unanswered * CREDITS,
        }

    def report(self) -> dict[str, int]:
        """Return them as the task's report has them: ``credits`` are those of this try, as everywhere in reports."""
        summary = self.summary()
        this_try = summary.pop("credits_this_try")
        return {
            **summary,
            "credits": this_try,
            "credits_earlier": self.earlier * CREDITS,
            "of_others": self.others,
        }

    def __str__(self) -> str:
        earlier = f" ({self.kept} earlier)" if self.kept else ""
        counts = [f"{self.delivered} of {self.count} delivered{earlier}"]
        others = {"failed": self.failed, "replayed": self.replayed, "left": self.left}
        counts += [f"{count} {name}" for name, count in others.items() if count]
        paid = self.paid * CREDITS
        perhaps = f" to {paid + self.unanswered * CREDITS}" if self.unanswered else ""
        return f"{', '.join(counts)}; {paid}{perhaps} credits now"


class Progress:
    """A line every few seconds while something happens, and every minute while nothing does.

    :param tally: what to tell.
    :param interval: seconds from one start to the next: it is never faster than that.
    :param clock: returns seconds that never go backwards.
    """

    def __init__(self, tally: Tally, interval: float, clock: Callable[[], float]) -> None:
        self._tally = tally
        self._interval = interval
        self._clock = clock
        self._began = self._told_at = clock()
        self._told = tally.left

    def tell(self) -> bool:
        """Log a line if it is time for one; return whether it was."""
        now, left = self._clock(), self._tally.left
        quiet = now - self._told_at
        if quiet < QUIET_INTERVAL and (quiet < PROGRESS_INTERVAL or left == self._told):
            return False
        log.info("%s; %s to go.", self._tally, self.time_left(now))
        self._told_at, self._told = now, left
        return True

    def facts(self) -> dict[str, Any]:
        """Return how far it is, as small flat JSON."""
        left = self.time_left(self._clock())
        return {**self._tally.report(), "left": self._tally.left, "seconds_left": round(left.total_seconds())}

    def time_left(self, now: float) -> timedelta:
        """Return how long it takes at the pace of this try so far."""
        done = self._tally.drawn + self._tally.failed
        pace = max(self._interval, (now - self._began) / done) if done else self._interval
        return timedelta(seconds=round(self._tally.left * pace))

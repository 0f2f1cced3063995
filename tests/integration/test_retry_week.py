"""A week of a schedule in simulated time: the policy's delays and the real record against a service with bad days.

A Dag draws a book of 24 pages every ten minutes, each page a mapped task with the operators' defaults, eight at a time.
What the service does is in ``Service``, what must hold in the tests. Nothing waits, and chance has a seed.
"""

from __future__ import annotations

import heapq
import logging
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.spending.record import SpendRecord
from airflow_provider_talecraft.version_compat import RetryAction

pytestmark = pytest.mark.integration

DOCS = Path(__file__).parents[2] / "docs"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
RUNS, PAGES, SLOTS, RETRIES, MAX_REPLAYS = 7 * 24 * 6, 24, 8, 3, 1
#: Of the policy's table: the first delay and the longest, in seconds, where the service does not ask for one.
DELAYS = {
    errors.TaleCraftRateLimitError: (60, 60),
    errors.TaleCraftUnavailableError: (60, 900),
    errors.TaleCraftGenerationFailedError: (30, 600),
    errors.TaleCraftOutcomeUnknownError: (60, 60),
}


class Service:
    """Ten requests a minute; away on Tuesday night, in maintenance on Thursday, overloaded in the evenings."""

    AWAY = (1 * DAY + 2 * HOUR, 1 * DAY + 6 * HOUR)
    MAINTENANCE = (3 * DAY + 4 * HOUR, 3 * DAY + 4.5 * HOUR)

    def __init__(self, chance):
        self._chance, self._starts = chance, deque()

    def ask(self, now):
        """Return how long the answer takes, the error if it is one, and whether the request was charged."""
        if self.AWAY[0] <= now < self.AWAY[1]:
            return 2 * self._chance(), errors.TaleCraftUnavailableError("Could not connect."), False
        if self.MAINTENANCE[0] <= now < self.MAINTENANCE[1]:
            asked = self.MAINTENANCE[1] - now
            return 1.0, errors.TaleCraftUnavailableError("HTTP 503.", retry_after=asked), False
        while self._starts and self._starts[0] <= now - MINUTE:
            self._starts.popleft()
        if len(self._starts) >= 10:
            # One answer in four does not say when.
            asked = None if self._chance() < 0.25 else self._starts[0] + MINUTE - now
            return 0.5, errors.TaleCraftRateLimitError("Slow down.", retry_after=asked), False
        self._starts.append(now)
        return self._draw(now)

    def _draw(self, now):
        seconds = 10 + 20 * self._chance()
        if not 18 <= now % DAY / HOUR < 21:
            return seconds, None, True
        fate = self._chance()
        if fate < 0.15:
            return 2 * seconds, errors.TaleCraftGenerationFailedError("Generation failed."), False
        if fate < 0.2:
            return 300.0, errors.TaleCraftOutcomeUnknownError("No answer."), fate < 0.18
        return 2 * seconds, None, True


class Kept:
    """A record's place, as the task state store is one."""

    place = "the store"

    def __init__(self):
        self._entry = None

    def load(self):
        return self._entry

    def save(self, entry):
        self._entry = entry

    begin = save


@dataclass
class Page:
    """A task: its tries, and how it ended."""

    kept: Kept = field(default_factory=Kept)
    tries: int = 0
    charges: int = 0
    not_before: float = 0.0
    end: str = ""


@dataclass(frozen=True)
class Delay:
    """A decision to try again."""

    kind: type
    number: int
    at: float
    asked: float | None
    seconds: float


class Week:
    """The schedule, its tasks and their slots."""

    def __init__(self):
        chance = random.Random(14).random
        self.service, self.policy = Service(chance), TaleCraftRetryPolicy(chance=chance)
        self.pages = [Page() for _ in range(RUNS * PAGES)]
        self.delays, self.early, self.requests = [], [], []
        due = [(number // PAGES * 10 * MINUTE, number) for number in range(len(self.pages))]
        slots = [0.0] * SLOTS  # when each is free again
        while due:
            moment, number = heapq.heappop(due)
            now = max(moment, heapq.heappop(slots))
            page = self.pages[number]
            if now < page.not_before:
                self.early.append(page)
            end, delay = self.a_try(page, now)
            heapq.heappush(slots, end)
            if delay is not None:
                heapq.heappush(due, (end + delay, number))

    def a_try(self, page, now):
        """Return when the try ends, and after how long the next one is due, None if there is none."""
        page.tries += 1
        self.requests.append(now)
        record = SpendRecord(
            page.kept, fingerprint="f", max_tries=RETRIES, try_number=page.tries, max_replays=MAX_REPLAYS
        )
        seconds, error, charged = self.service.ask(now)
        page.charges += charged
        try:
            with record.attempt("A page"):
                if error:
                    raise error
        except errors.TaleCraftError as failed:
            return now + seconds, self.decide(page, failed, now + seconds)
        record.deliver({"id": "1", "status": "success", "image_url": "https://pictures.example/1.jpeg"})
        page.end = "delivered"
        return now + seconds, None

    def decide(self, page, error, now):
        decision = self.policy.evaluate(error, page.tries, RETRIES)
        if decision.action is RetryAction.FAIL or page.tries > RETRIES:
            page.end = decision.reason
            return None
        delay = decision.retry_delay.total_seconds()
        self.delays.append(Delay(type(error), page.tries, now, error.retry_after, delay))
        page.not_before = now + (error.retry_after or 0)
        return delay

    def ends(self):
        return Counter(page.end if page.end == "delivered" else kind_of(page.end) for page in self.pages)


def kind_of(reason):
    """Return which of the documented reasons a task gave up for."""
    if "no retry is left" in reason:
        return "no retry is left"
    return "no replay is left" if "It is not sent again (max_replays=1)" in reason else reason


@pytest.fixture(scope="module")
def week():
    logging.disable(logging.WARNING)
    try:
        return Week()
    finally:
        logging.disable(logging.NOTSET)


def test_no_request_is_sent_before_the_time_that_the_service_asked_for(week):
    assert sum(delay.asked is not None for delay in week.delays) > 1000
    assert week.early == []


def test_every_page_is_delivered_or_given_up_for_a_documented_reason_within_its_tries(week):
    assert set(week.ends()) == {"delivered", "no retry is left", "no replay is left"}
    assert all(1 <= page.tries <= 1 + RETRIES for page in week.pages)
    given_up = [page for page in week.pages if "no retry is left" in page.end]
    assert all(page.tries == 1 + RETRIES for page in given_up)


def test_a_page_is_paid_for_once_and_once_more_for_each_replay_at_most(week):
    assert max(page.charges for page in week.pages) == 1 + MAX_REPLAYS
    assert all(page.charges for page in week.pages if page.end == "delivered")


def test_the_requests_of_a_week_are_bounded(week):
    assert len(week.requests) == sum(page.tries for page in week.pages) <= (1 + RETRIES) * len(week.pages)
    assert len(week.requests) / len(week.pages) < 2.5


def test_delays_are_within_their_documented_bounds(week):
    assert {delay.kind for delay in week.delays} == set(DELAYS)
    for delay in week.delays:
        first, longest = DELAYS[delay.kind]
        own = min(first * 2 ** (delay.number - 1), longest)
        least, most = (0.75 * own, own) if delay.asked is None else (delay.asked, 1.25 * delay.asked)
        assert least <= delay.seconds + 1e-5
        assert delay.seconds <= most + 1e-5


def test_tasks_that_failed_together_do_not_return_together(week):
    """Of each ten seconds in which many failed alike, they return over a sixteenth of the delay at least."""
    together = {}
    for delay in week.delays:
        if delay.asked is None:
            together.setdefault((delay.kind, delay.number, delay.at // 10), []).append(delay.seconds)
    crowds = [(key, seconds) for key, seconds in together.items() if len(seconds) >= 8]
    assert len(crowds) > 20
    for (kind, number, _), seconds in crowds:
        first, longest = DELAYS[kind]
        assert max(seconds) - min(seconds) > min(first * 2 ** (number - 1), longest) / 16


def test_no_part_of_the_time_over_which_tasks_return_is_crowded(week):
    """Of the first waits of a minute each twentieth of the quarter by which they may be shortened has its share."""
    first = [delay.seconds for delay in week.delays if delay.asked is None and delay.number == 1]
    shares = Counter(int((60 - seconds) / 15 * 20) for seconds in first if seconds > 45)
    assert sum(shares.values()) > 1000
    assert len(shares) == 20
    assert max(shares.values()) < 0.1 * sum(shares.values())


def test_the_docs_tell_of_this_week(week):
    assert table(week) in (DOCS / "retries.md").read_text()


def table(week):
    """Return the week as the rows that docs/retries.md has."""
    ends, pages = week.ends(), len(week.pages)
    longest = timedelta(seconds=round(max(delay.seconds for delay in week.delays)))
    rows = {
        "pictures asked for": f"{pages:,}",
        "delivered": f"{ends['delivered']:,} ({100 * ends['delivered'] / pages:.1f} %)",
        "given up, no retry left": f"{ends['no retry is left']:,}",
        "given up, no replay left": f"{ends['no replay is left']:,}",
        "requests": f"{len(week.requests):,} ({len(week.requests) / pages:.2f} for each picture, 4 at most)",
        "charged twice": f"{sum(page.charges > 1 for page in week.pages):,}",
        "longest delay": f"{longest}",
    }
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())

"""``python benchmarks/growth.py``: what 10 to 10,000 illustrations in one batch take, in simulated time.

The batch, its limiter, its records and its output are the package's own; the service and the clock are made up. The
clock stands still while a thread works, and jumps when all of them wait: hours take seconds. Airflow is not in it.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import tracemalloc
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from report import markdown, result, say
from simulated import Counted, Time

from airflow_provider_talecraft.api.models import CREDITS, Illustration
from airflow_provider_talecraft.batch.manifest import Output
from airflow_provider_talecraft.batch.prompts import Items
from airflow_provider_talecraft.batch.records import Records
from airflow_provider_talecraft.batch.run import Batch
from airflow_provider_talecraft.exceptions import TaleCraftRateLimitError
from airflow_provider_talecraft.operators.generate_illustration_batch import (
    DEFAULT_MANIFEST_THRESHOLD,
    DEFAULT_MAX_CONCURRENCY,
    DEFAULT_REQUESTS_PER_MINUTE,
)
from airflow_provider_talecraft.spending.store import Pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_talecraft.api.models import IllustrationRequest

COUNTS = (10, 100, 1_000, 10_000)
#: Requests a minute, and at a time: the documented limits, and others.
DOCUMENTED = (DEFAULT_REQUESTS_PER_MINUTE, DEFAULT_MAX_CONCURRENCY)
PLANS = (DOCUMENTED, (DEFAULT_REQUESTS_PER_MINUTE, 4), (60, 30), (600, 300))
#: Seconds that a generation takes, evenly spread: 10 to 30 as a rule, says the service.
QUICKEST, SLOWEST = 10.0, 30.0
#: The documented limit of a day.
PER_DAY = 100
DAY = timedelta(days=1).total_seconds()
#: Characters; that of a page of a picture book.
PROMPT = 200


@dataclass
class Store:
    """Airflow's task state store: rows of JSON.

    :param rows: what stands in it.
    :param reads: how often it was asked.
    :param writes: how often it was told.
    """

    rows: dict[str, str] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0

    def get(self, key: str) -> Any:
        self.reads += 1
        return json.loads(self.rows[key]) if key in self.rows else None

    def set(self, key: str, value: Any, *, retention: Any) -> None:  # noqa: ARG002  # Airflow's signature
        self.writes += 1
        self.rows[key] = json.dumps(value)


@dataclass
class Service:
    """What is made up.

    :param time: the clock.
    :param per_day: more are refused; None for no limit.
    """

    time: Time
    per_day: int | None = None
    charges: int = 0
    refusals: int = 0

    def send(self, request: IllustrationRequest, *, pace: Callable[[], None]) -> Illustration:
        pace()
        if self.per_day is not None and self.charges >= self.per_day:
            self.refusals += 1
            raise TaleCraftRateLimitError("Rate limit exceeded")
        self.charges += 1
        self.time.sleep(random.Random(request.prompt).uniform(QUICKEST, SLOWEST))
        name = f"{self.charges:08}-0000-0000-0000-000000000000"
        url = f"https://pub-00000000000000000000000000000000.r2.dev/uploads/illustrations/{name}.jpeg"
        return Illustration(name, "success", url)


@dataclass
class Outcome:
    """What one try at a batch took.

    :param seconds: simulated.
    :param xcom: bytes in XCom; its one row.
    :param manifest: bytes, 0 if it is not needed.
    :param memory: the most bytes that Python had allocated for it, the prompts included; 0 if that was not watched.
    """

    seconds: float
    delivered: int
    charges: int
    refusals: int
    xcom: int
    manifest: int
    store: Store
    memory: int = 0


def prompts(count: int) -> list[str]:
    return [f"Page {number:05} of a long book. ".ljust(PROMPT, "~") for number in range(count)]


def draw(
    count: int, plan: tuple[int, int], *, store: Store | None = None, per_day: int | None = None, day: int = 0
) -> Outcome:
    """Make one try at a batch of so many illustrations.

    :param plan: requests a minute, and at a time.
    :param store: that of the tries before.
    :param per_day: what the service delivers in a try; None for everything.
    :param day: how many tries there were before.
    """
    per_minute, at_once = plan
    store = Store() if store is None else store
    time = Time(min(at_once, count), day * DAY)
    service = Service(time, per_day)
    items = Counted(Items(prompts(count), style="children_book", aspect_ratio="1:1"), time)
    began = time.now
    limiter = time.limiter(at_once=at_once, per_minute=per_minute, resting=day > 0)
    context: Any = {"ti": SimpleNamespace(max_tries=count, try_number=day + 1), "task_state_store": store}
    records = Records(
        context, talecraft_conn_id="talecraft_default", max_replays=1, on_clear="regenerate", manifest=None
    )
    with Output(count) as output:
        batch = Batch(
            items, send=service.send, limiter=limiter, record=records.of, output=output, threads=at_once, clock=time
        )
        halt = limiter.halt

        def halt_all() -> None:
            halt()
            time.halt()

        batch._workers._on_halt = halt_all  # noqa: SLF001  # whoever waits must hear of it: no time passes any more
        batch.run(every=DAY, checkpoint=lambda: None, tell=lambda **_: None)
        lines = sum(len(line) for line in output.lines())
        small = count <= DEFAULT_MANIFEST_THRESHOLD
        summary = {"manifest_path": "s3://books/book.jsonl", **batch.tally.summary()}
        xcom = json.dumps(output.entries() if small else summary)
    return Outcome(
        seconds=time.now - began,
        delivered=batch.tally.delivered,
        charges=service.charges,
        refusals=service.refusals,
        xcom=len(xcom),
        manifest=0 if small else lines,
        store=store,
    )


def memory(count: int, plan: tuple[int, int]) -> int:
    """Return the most bytes that a batch of so many takes."""
    tracemalloc.start()
    try:
        # What the service's stand-in and the store keep is not the task's.
        outcome = draw(count, plan, store=_Forgetful())
        assert outcome.delivered == count  # noqa: S101  # a benchmark of something else, otherwise
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def held(store: Store) -> int:
    """Return the bytes that a later try holds for the records of *store*."""
    tracemalloc.start()
    try:
        pages = Pages(store)
        assert pages  # noqa: S101  # held until it is measured
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


class _Forgetful(Store):
    """Takes everything and no memory."""

    def set(self, key: str, value: Any, *, retention: Any) -> None:
        pass


def days(count: int) -> tuple[int, int, int, int, int]:
    """Draw one batch, a try a day; return tries, charges, refused requests, and the store's reads and writes."""
    store, charges, refusals, day = Store(), 0, 0, 0
    while True:
        outcome = draw(count, DOCUMENTED, store=store, per_day=PER_DAY, day=day)
        charges, refusals, day = charges + outcome.charges, refusals + outcome.refusals, day + 1
        if outcome.delivered == count:
            return day, charges, refusals, store.reads, store.writes
        if outcome.charges == 0:
            raise RuntimeError(f"day {day} delivered nothing")


def main() -> None:
    parser = argparse.ArgumentParser(description="How a batch grows, in simulated time.")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, metavar="N", help="of illustrations")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    names = [f"{per_minute} a minute, {at_once} at a time" for per_minute, at_once in PLANS]
    rows = []
    for count in options.counts:
        outcomes = [draw(count, plan) for plan in PLANS]
        first = outcomes[0]
        assert {outcome.charges for outcome in outcomes} == {count}  # noqa: S101  # as above
        rows.append([
            f"{count:,}", f"{first.charges * CREDITS:,}", *(span(outcome.seconds) for outcome in outcomes),
            f"{-(-count // PER_DAY)}", f"{len(first.store.rows):,}",
            f"{sum(map(len, first.store.rows.values())):,} B", f"{max(map(len, first.store.rows.values())):,} B",
            f"{held(first.store) / 1e6:.1f} MB", f"{first.xcom:,} B", f"{first.manifest:,} B",
            f"{memory(count, DOCUMENTED) / 1e6:.1f} MB",
        ])  # fmt: skip
        say(f"  {count:,}")
    head = [
        "illustrations", "credits", *names, f"days at {PER_DAY} a day", "state store rows", "of", "largest",
        "held of them", "XCom", "manifest",
        "memory",
    ]  # fmt: skip
    result("A batch in simulated time, without Airflow: the service and the clock are made up, the rest is ours.")
    result(markdown(head, rows))
    for count in options.counts:
        if count > PER_DAY:
            number, charges, refusals, reads, writes = days(count)
            result(
                f"{count:,} in one task, a try a day, {PER_DAY} a day: {number} tries, {charges * CREDITS:,} credits, "
                f"{refusals} requests refused, {reads:,} reads and {writes:,} writes of the state store."
            )


def span(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.0f} s"
    if seconds < 2 * 60 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    main()

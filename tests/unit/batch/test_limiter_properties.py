"""Threads that share a limiter, in simulated time, against what the limits say: whatever they do, and however late."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st
from workers import Worker, current, edge

from airflow_provider_talecraft.batch.limiter import TOLERANCE, Limiter, MovedBackError
from airflow_provider_talecraft.exceptions import TaleCraftRateLimitError

#: Seconds of a request, and the pause that its answer asks for; None for a picture.
requests = st.tuples(st.sampled_from([0.0, 0.3, 5.0, 40.0]), st.sampled_from([None, None, None, 0.0, 7.0, 90.0]))
lateness = st.sampled_from([0.0, 0.001, 0.04, 0.2, 30.0])


class Office:
    """So many threads, each with some requests to make; it decides who runs next: who has waited longest."""

    def __init__(self, threads, *, at_once, per_minute, late):
        self.now = 1000.0
        self._late = itertools.cycle(late)
        self.limiter = Limiter(
            max_concurrency=at_once, requests_per_minute=per_minute, clock=lambda: self.now, wait=self.wait
        )
        self.starts, self.pauses, self.on_their_way, self.most, self.answered = [], [], 0, 0, 0
        self.workers = [Worker(lambda todo=todo: self.work(todo)) for todo in threads]
        for worker in self.workers:
            worker.wakes = self.now

    def sleep(self, seconds):
        current().wakes = self.now + seconds
        edge("sleep")

    def wait(self, condition, seconds):
        condition.release()
        self.sleep(seconds + next(self._late))
        condition.acquire()

    def work(self, todo):
        for seconds, pause in todo:
            self.ask(seconds, pause)
            self.answered += 1

    def ask(self, seconds, pause):
        while True:
            try:
                with self.limiter.slot() as slot:
                    slot.start()
                    self.send(slot, seconds, pause)
            except MovedBackError:
                continue
            except TaleCraftRateLimitError:
                pass  # too often in a row: the batch would end there
            return

    def send(self, slot, seconds, pause):
        self.starts.append(self.now)
        self.on_their_way += 1
        self.most = max(self.most, self.on_their_way)
        self.sleep(seconds)
        self.on_their_way -= 1
        if pause is None:
            self.limiter.delivered()
        else:
            self.pauses.append((self.now, pause))
            self.limiter.slow_down(slot, TaleCraftRateLimitError("Too many.", retry_after=pause))

    def run(self):
        for _ in range(20_000):
            running = [worker for worker in self.workers if not worker.is_over]
            if not running:
                return
            worker = min(running, key=lambda one: one.wakes)
            self.now = max(self.now, worker.wakes)
            worker.step()
        raise AssertionError("somebody waits for ever")


@given(
    threads=st.lists(st.lists(requests, min_size=1, max_size=5), min_size=1, max_size=5),
    at_once=st.integers(1, 4),
    per_minute=st.sampled_from([1, 3, 10, 60, 600]),
    late=st.lists(lateness, min_size=1, max_size=5),
)
@example(
    threads=[[(0.0, 0.0)] * 4, [(0.0, 0.0), (0.0, 0.0), (0.0, 90.0), (0.0, None)]], at_once=1, per_minute=1, late=[0.0]
)
@example(threads=[[(0.0, 0.0)] * 6 + [(0.0, 90.0), (0.0, None)]], at_once=1, per_minute=1, late=[0.0])
def test_the_limits_hold_and_everybody_has_a_turn(threads, at_once, per_minute, late):
    office = Office(threads, at_once=at_once, per_minute=per_minute, late=late)
    office.run()
    assert [worker.error for worker in office.workers] == [None] * len(threads)
    assert office.answered == sum(map(len, threads))
    assert office.most <= at_once
    starts = office.starts
    for number, first in enumerate(starts):
        assert sum(first <= start < first + 60.0 for start in starts[number:]) <= per_minute
    assert all(after - before >= 60.0 / per_minute - TOLERANCE for before, after in itertools.pairwise(starts))
    for moment, pause in office.pauses:
        assert not any(moment < start < moment + pause for start in starts), "a pause is for all"

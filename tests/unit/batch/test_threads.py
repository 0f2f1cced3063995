"""A workers does every item once, holds no list in memory, and ends when it is told to or when something breaks."""

from __future__ import annotations

import threading
import tracemalloc

import pytest
from patience import PATIENCE

from airflow_provider_talecraft.batch.threads import WorkerThreads


@pytest.mark.parametrize("threads", [1, 3, 20])
def test_every_item_is_done_once(threads):
    done = []
    WorkerThreads(range(100), lambda item, _: done.append(item), threads=threads).run(lambda: None)
    assert sorted(done) == list(range(100))


def test_no_more_are_done_at_a_time_than_there_are_threads():
    meeting = threading.Barrier(3)
    busy, most = set(), []

    def work(_, number):
        assert number not in busy
        busy.add(number)
        most.append(len(busy))
        meeting.wait(PATIENCE)
        busy.discard(number)
        meeting.wait(PATIENCE)

    WorkerThreads(range(9), work, threads=3).run(lambda: None)
    assert max(most) == 3


def test_what_breaks_in_a_thread_ends_all_and_is_raised_in_the_main_thread():
    done = []

    def work(item, _):
        if item == 5:
            raise OSError("the store is gone")
        done.append(item)

    with pytest.raises(OSError, match="the store is gone"):
        WorkerThreads(iter(range(10**9)), work, threads=1).run(lambda: None)
    assert done == [0, 1, 2, 3, 4]


def test_items_that_cannot_be_made_are_an_error_too():
    def items():
        yield 1
        raise ValueError("line 2 is not JSON")

    with pytest.raises(ValueError, match="line 2"):
        WorkerThreads(items(), lambda *_: None, threads=4).run(lambda: None)


def test_a_halt_begins_nothing_more_and_lets_what_is_being_done_end():
    begun, done, go = threading.Event(), [], threading.Event()

    def work(item, _):
        begun.set()
        assert go.wait(PATIENCE)
        done.append(item)

    workers = WorkerThreads(range(100), work, threads=1)

    def tell():
        assert begun.wait(PATIENCE)
        workers.halt()
        go.set()

    workers.run(tell)
    assert done == [0]
    assert workers.halted


def test_what_is_raised_in_the_main_thread_does_not_wait_for_the_others():
    go = threading.Event()
    workers = WorkerThreads(range(100), lambda *_: go.wait(PATIENCE), threads=2)

    def timeout():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        workers.run(timeout)
    assert workers.halted
    go.set()


def test_a_long_list_costs_no_memory():
    WorkerThreads(range(10), lambda *_: None, threads=4).run(lambda: None)
    tracemalloc.start()
    WorkerThreads((str(n) * 1000 for n in range(2000)), lambda *_: None, threads=4).run(lambda: None)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()

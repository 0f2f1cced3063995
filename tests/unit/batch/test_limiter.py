"""How fast a batch asks, in simulated time: nothing here waits."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from contextlib import ExitStack

import pytest

from airflow_provider_talecraft.batch import limiter as module
from airflow_provider_talecraft.batch.limiter import HaltedError, Limiter, MovedBackError
from airflow_provider_talecraft.exceptions import TaleCraftRateLimitError, TaleCraftUnavailableError

WINDOW = 60.0


class Time:
    """A clock that moves when somebody waits, a little further than was asked for, as real ones do."""

    def __init__(self, lateness=lambda: 0.0):
        self.now = 1000.0
        self._lateness = lateness
        self._busy = []  # ends of requests on their way, and the slots that are over then
        self._number = itertools.count()

    def __call__(self):
        return self.now

    def busy(self, seconds, slot):
        heapq.heappush(self._busy, (self.now + seconds, next(self._number), slot))

    def wait(self, condition, seconds):
        """Wait for *condition*; what ends in the meantime ends now."""
        until = self.now + seconds
        if self._busy and self._busy[0][0] <= until:
            self.now, _, slot = heapq.heappop(self._busy)
            condition.release()  # the slot ends in another thread
            slot.close()
            condition.acquire()
        else:
            self.now = until + self._lateness()

    @property
    def on_their_way(self):
        return sum(end > self.now for end, _, _ in self._busy)


def simulate(requests, *, per_minute, at_once, seconds=lambda: 1.0, jitter=lambda: 0.0, lateness=lambda: 0.0, pause=()):
    """Return when each of so many requests arrived, and how many were on their way at most."""
    time = Time(lateness)
    limiter = Limiter(max_concurrency=at_once, requests_per_minute=per_minute, clock=time, wait=time.wait)
    arrivals, most = [], 0
    for number in range(requests):
        with ExitStack() as stack:
            slot = stack.enter_context(limiter.slot())
            if number in pause:
                time.now += 90.0
            slot.start()
            arrivals.append(time.now + jitter())
            time.busy(seconds(), stack.pop_all())
        most = max(most, time.on_their_way)
    return sorted(arrivals), most


def most_in_a_minute(arrivals):
    return max(sum(first <= other < first + WINDOW for other in arrivals[n:]) for n, first in enumerate(arrivals))


@pytest.mark.parametrize("per_minute", [1, 2, 7, 10, 60, 120, 600])
@pytest.mark.parametrize("seed", range(3))
def test_no_minute_has_more_arrivals_than_the_limit_and_98_percent_of_it_is_used(per_minute, seed):
    chance = random.Random(seed)
    arrivals, _ = simulate(
        max(200, per_minute + 100),
        per_minute=per_minute,
        at_once=1000,
        jitter=lambda: chance.uniform(0, 0.5),
        lateness=lambda: chance.choice([0.0, 0.001, 0.02]),
    )
    assert most_in_a_minute(arrivals) <= per_minute
    used = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) * WINDOW / per_minute
    assert used >= 0.98


@pytest.mark.parametrize("per_minute", [10, 120])
def test_a_machine_that_slept_does_not_catch_up_with_a_burst(per_minute):
    arrivals, _ = simulate(100, per_minute=per_minute, at_once=100, pause={30, 31, 60})
    gaps = [after - before for before, after in itertools.pairwise(arrivals)]
    assert min(gaps) >= WINDOW / per_minute - module.TOLERANCE
    assert most_in_a_minute(arrivals) <= per_minute


def test_starts_are_evenly_spaced():
    arrivals, _ = simulate(50, per_minute=10, at_once=50)
    assert {round(after - before, 2) for before, after in itertools.pairwise(arrivals)} == {6.06}


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_no_more_are_on_their_way_than_allowed(at_once):
    arrivals, most = simulate(100, per_minute=6000, at_once=at_once, seconds=lambda: 20.0)
    assert most == at_once
    assert arrivals[-1] - arrivals[0] == pytest.approx(20.0 * (100 / at_once - 1), abs=5)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def limiter(time):
    return Limiter(max_concurrency=2, requests_per_minute=60, clock=time, wait=time.wait)


def ask(limiter):
    with limiter.slot() as slot:
        slot.start()
    return slot


def slow_down(limiter, slot, retry_after=20.0):
    return limiter.slow_down(slot, TaleCraftRateLimitError("Too many.", retry_after=retry_after))


def test_a_slow_down_moves_everybody_back(limiter, time):
    slot = ask(limiter)
    before = time.now
    assert slow_down(limiter, slot, 20.0) == 20.0
    assert ask(limiter).started == pytest.approx(before + 20.0)
    assert ask(limiter).started == pytest.approx(before + 21.01)


def test_an_unavailable_service_that_says_when_is_waited_for_as_a_rate_limit_is(limiter):
    error = TaleCraftUnavailableError("HTTP 503", retry_after=20.0)
    assert limiter.slow_down(ask(limiter), error) == 20.0
    with pytest.raises(TaleCraftUnavailableError):
        limiter.slow_down(ask(limiter), TaleCraftUnavailableError("HTTP 503", retry_after=3600.0))


def test_a_slow_down_without_a_number_is_one_of_a_minute(limiter, time):
    assert slow_down(limiter, ask(limiter), None) == 60.0


def test_a_shorter_slow_down_does_not_shorten_a_longer_one(limiter, time):
    slot = ask(limiter)
    slow_down(limiter, slot, 60.0)
    assert slow_down(limiter, slot, 5.0) == 60.0


def test_who_prepares_itself_when_others_are_told_to_slow_down_is_moved_back_too(limiter, time):
    first = ask(limiter)
    with limiter.slot() as second:
        slow_down(limiter, first)
        with pytest.raises(MovedBackError):
            second.start()
    assert second.is_first


def test_slow_downs_in_a_row_end_in_the_error(limiter):
    for _ in range(module.MOST_SLOW_DOWNS):
        slow_down(limiter, ask(limiter))
    with pytest.raises(TaleCraftRateLimitError) as caught:
        slow_down(limiter, ask(limiter))
    assert caught.value.retry_after == 20.0


def test_a_delivered_picture_ends_the_row(limiter):
    for _ in range(3 * module.MOST_SLOW_DOWNS):
        slow_down(limiter, ask(limiter))
        limiter.delivered()


def test_after_a_delivered_picture_the_row_begins_anew(limiter):
    for _ in range(2):
        for _ in range(module.MOST_SLOW_DOWNS):
            slow_down(limiter, ask(limiter))
        limiter.delivered()
    for _ in range(module.MOST_SLOW_DOWNS):
        slow_down(limiter, ask(limiter))
    with pytest.raises(TaleCraftRateLimitError):
        slow_down(limiter, ask(limiter))


def test_the_longest_wait_that_is_ours_is_waited(limiter):
    assert slow_down(limiter, ask(limiter), module.LONGEST_SLOW_DOWN) == module.LONGEST_SLOW_DOWN


def test_a_slot_is_had_a_moment_before_the_start_to_write_it_down(limiter, time):
    first = ask(limiter)
    with limiter.slot() as slot:
        assert time.now == pytest.approx(first.started + limiter.interval - module.LEAD)
        slot.start()
    assert slot.started == pytest.approx(first.started + limiter.interval)


def test_who_is_late_by_less_than_the_tolerance_delays_nobody(limiter, time):
    first = ask(limiter)
    time.now += limiter.interval + module.TOLERANCE / 2
    ask(limiter)
    assert ask(limiter).started == pytest.approx(first.started + 2 * limiter.interval)


def test_a_slot_that_is_left_twice_is_free_once(time):
    limiter = Limiter(max_concurrency=1, requests_per_minute=60, clock=time, wait=time.wait)
    slot = limiter.slot()
    with slot:
        slot.start()
        slot.release()
        slot.release()
    assert limiter._free == 1


def test_a_wait_is_cut_into_looks_at_whether_all_was_halted(time):
    waits = []

    def wait(condition, seconds):
        waits.append(seconds)
        time.wait(condition, seconds)

    limiter = Limiter(max_concurrency=1, requests_per_minute=10, clock=time, wait=wait)
    ask(limiter)
    ask(limiter)
    assert max(waits) == module.LOOK
    assert len(waits) == pytest.approx(6.06 / module.LOOK, abs=2)


def test_requests_that_were_on_their_way_together_are_told_once(limiter):
    slots = [ask(limiter) for _ in range(3 * module.MOST_SLOW_DOWNS)]
    for slot in slots:
        slow_down(limiter, slot)


def test_a_very_long_slow_down_is_the_schedulers(limiter):
    with pytest.raises(TaleCraftRateLimitError):
        slow_down(limiter, ask(limiter), module.LONGEST_SLOW_DOWN + 1)


def test_after_a_halt_nothing_is_started(limiter):
    with limiter.slot() as slot:
        limiter.halt()
        with pytest.raises(HaltedError):
            slot.start()
    assert slot.is_first
    with pytest.raises(HaltedError), limiter.slot():
        pytest.fail("a slot was taken")


def test_a_request_that_found_no_connection_takes_a_start_for_every_attempt(limiter, time):
    with limiter.slot() as slot:
        slot.start()
        first = slot.started
        slot.start()
        assert slot.started == pytest.approx(first + limiter.interval)
    assert ask(limiter).started == pytest.approx(first + 2 * limiter.interval)


def test_while_one_waits_to_start_again_nobody_prepares_itself(time):
    preparing = []

    def wait(condition, seconds):
        preparing.append(limiter._preparing)
        time.wait(condition, seconds)

    limiter = Limiter(max_concurrency=2, requests_per_minute=60, clock=time, wait=wait)
    with limiter.slot() as slot:
        slot.start()
        slot.start()
    assert set(preparing) == {slot}
    assert limiter._preparing is None


def waiting_for(other, time):
    """Return a wait in which another thread starts *other*, once."""
    waits = []

    def wait(condition, seconds):
        waits.append(seconds)
        if len(waits) == 1:
            other().start()
        else:
            time.wait(condition, seconds)

    return wait


def test_two_do_not_prepare_themselves_at_once(time):
    limiter = Limiter(max_concurrency=2, requests_per_minute=60, clock=time, wait=waiting_for(lambda: first, time))
    first = limiter.slot()
    with first, limiter.slot() as second:
        assert not first.is_first
        second.start()
        assert second.started >= first.started + limiter.interval


def test_who_starts_again_waits_for_the_one_that_prepares_itself(time):
    limiter = Limiter(max_concurrency=2, requests_per_minute=60, clock=time, wait=waiting_for(lambda: second, time))
    with limiter.slot() as first:
        first.start()
        time.now += limiter.interval
        with limiter.slot() as second:
            first.start()
            assert not second.is_first
            assert first.started == pytest.approx(second.started + limiter.interval)


def test_every_slot_that_is_over_is_free_again(limiter):
    with limiter.slot() as first:
        first.start()
        with limiter.slot() as second:
            second.start()
    assert limiter._free == 2


def test_a_turn_that_was_not_used_costs_nobody_time(limiter, time):
    with limiter.slot():
        pass
    assert ask(limiter).started == pytest.approx(1000.0)


def test_a_try_that_follows_another_starts_an_interval_later(time):
    limiter = Limiter(max_concurrency=1, requests_per_minute=10, resting=True, clock=time, wait=time.wait)
    assert ask(limiter).started == pytest.approx(1006.06)


def test_many_threads_keep_both_limits_in_real_time():
    limiter = Limiter(max_concurrency=3, requests_per_minute=6000)
    on_their_way, most, starts = 0, 0, []
    lock = threading.Lock()

    def work():
        nonlocal on_their_way, most
        for _ in range(5):
            with limiter.slot() as slot:
                slot.start()
                with lock:
                    on_their_way += 1
                    most = max(most, on_their_way)
                    starts.append(slot.started)
                threading.Event().wait(0.02)
                with lock:
                    on_their_way -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(starts) == 40
    assert most == 3
    starts.sort()
    assert min(after - before for before, after in itertools.pairwise(starts)) >= 0
    assert starts[-1] - starts[0] >= 39 * 0.0101 - module.TOLERANCE

"""Limits: the sliding window on a clock of its own, and 429 over a socket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_talecraft.sandbox import Sandbox
from airflow_provider_talecraft.sandbox.checks import Refusal
from airflow_provider_talecraft.sandbox.limits import Limits

GOOD = {"prompt": "a fox"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _ask(limits):
    """None if admitted, else the seconds to wait."""
    try:
        with limits.seat():
            return None
    except Refusal as refusal:
        assert (refusal.status, refusal.message) == (429, "Too many requests")
        return refusal.retry_after


def test_the_window_slides_and_retry_after_is_when_the_oldest_leaves_it():
    clock = Clock()
    limits = Limits(per_minute=2, at_once=None, patience=0, clock=clock)
    said = []
    for clock.now in (0.0, 20.5, 21.0, 59.99, 60.0, 60.5, 80.5):
        said.append(_ask(limits))
    assert said == [None, None, 39, 1, None, 20, None]


def test_a_refused_request_does_not_count():
    clock = Clock()
    limits = Limits(per_minute=1, at_once=None, patience=0, clock=clock)
    assert _ask(limits) is None
    for clock.now in range(1, 60):
        assert _ask(limits) is not None
    clock.now = 60
    assert _ask(limits) is None


@pytest.mark.parametrize(("patience", "retry_after"), [(0, 1), (0.2, 1), (12.5, 13)])
def test_a_full_house_names_whole_seconds_and_frees_its_seats(patience, retry_after):
    limits = Limits(per_minute=None, at_once=1, patience=patience, clock=Clock())
    with limits.seat():
        assert _ask(limits) == retry_after
    assert _ask(limits) is None


def test_too_many_at_the_same_time_are_answered_with_429_and_a_freed_seat_is_given_away(call, eventually):
    with ThreadPoolExecutor(2) as pool, Sandbox(max_concurrency=2, credits=6) as sandbox:
        caller = call(sandbox)
        sandbox.fault(prompt="slow", delay_before_charge=60, times=2)
        for _ in range(2):
            pool.submit(caller.generate, {"prompt": "slow"})
        eventually(lambda: caller.outcomes() == ["in progress"] * 2)

        refused = caller.generate(GOOD)
        assert refused.status_code == 429
        assert refused.json() == {"code": -1, "message": "Too many requests"}
        assert int(refused.headers["retry-after"]) >= 1
        assert caller.generate(GOOD, key="wrong").json()["message"] == "Invalid API key"
        sandbox.reset()
        assert caller.generate(GOOD).json()["code"] == 0


def test_seats_are_given_back_after_refusals_and_deliveries(call):
    with Sandbox(max_concurrency=1, credits=2) as sandbox:
        caller = call(sandbox)
        said = [caller.generate(body).json()["message"] for body in ({}, {"prompt": 1}, GOOD, GOOD, GOOD)]
    assert said == ["prompt is required", "prompt must be a string", "ok", *["insufficient credits"] * 2]


def test_the_rate_limit_counts_requests_with_a_valid_key_also_those_refused_later(call):
    with Sandbox(requests_per_minute=2) as sandbox:
        caller = call(sandbox)
        assert caller.generate(GOOD, key=None).status_code == 200
        assert caller.generate({}).json()["message"] == "prompt is required"
        assert caller.generate(GOOD).json()["code"] == 0
        refused = caller.generate(GOOD)
        assert (refused.status_code, refused.json()["message"]) == (429, "Too many requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        sandbox.reset()
        assert caller.generate(GOOD).json()["code"] == 0

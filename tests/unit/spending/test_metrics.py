"""What is told to Airflow's Stats about each request, whichever way it was asked for. That it arrives at real
receivers is in tests/integration/test_metrics.py."""

from __future__ import annotations

import re
import threading
from collections import Counter

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowTaskTimeout
from drawing import another_run, draw, draw_batch, killed_while_asking
from state_store import Store, TaskInstance

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.batch.limiter import HaltedError, MovedBackError
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
)
from airflow_provider_talecraft.spending import metrics
from airflow_provider_talecraft.spending.metrics import Metrics

TASK = {"dag_id": "d", "task_id": "t", "conn_id": "talecraft_default"}


class Stats:
    """Takes what Airflow's would take."""

    def __init__(self):
        self.told = []
        self.broken = False

    def incr(self, name, count=1, rate=1, *, tags=None):
        self._take(name, count, tags)

    def timing(self, name, dt, *, tags=None):
        self._take(name, dt, tags)

    def _take(self, name, value, tags):
        if self.broken:
            raise OSError("no such host")
        self.told.append((name, value, tags))

    def counts(self):
        """Return how much each counter was raised."""
        counts = Counter()
        for name, value, _ in self.told:
            if name in metrics.COUNTERS:
                counts[name.removeprefix("talecraft.")] += value
        return dict(counts)

    def tags(self, name):
        return [tags for told, _, tags in self.told if told == name]

    def values(self, name):
        return [value for told, value, _ in self.told if told == name]


@pytest.fixture
def stats(monkeypatch):
    taking = Stats()
    monkeypatch.setattr("airflow.providers.common.compat.sdk.Stats", taking, raising=False)
    return taking


def execute(prompt="A fox", *, store=None, **ti):
    operator = GenerateIllustrationOperator(task_id="t", prompt=prompt)
    return operator.execute({"ti": TaskInstance(**ti), "task_state_store": store})


def batch(prompts, store=None):
    operator = GenerateIllustrationBatchOperator(
        task_id="t", prompts=prompts, max_concurrency=2, requests_per_minute=60_000
    )
    return operator.execute({"ti": TaskInstance(), "task_state_store": store})


WAYS = {
    "the operator": lambda folder: execute(),
    "the batch": lambda folder: batch(["A fox"]),
    "draw once": draw,
    "a batch into a folder": lambda folder: draw_batch(folder, ["A fox"]),
    "the hook": lambda folder: TaleCraftHook().generate("A fox"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_to_draw_tells_the_same_of_a_picture(connected, stats, tmp_path, way):
    connected.fault(delay_before_charge=0.2)
    way(tmp_path)
    assert stats.counts() == {"delivered": 1, "credits": 2}
    (milliseconds,) = stats.values(metrics.PICTURE)
    assert 200 <= milliseconds < 200_000, "the unit"


def test_what_is_told_has_the_dag_the_task_and_the_connection_and_nothing_else(connected, stats, tmp_path):
    execute()
    batch(["A fox"])
    draw(tmp_path)
    assert all(tags == TASK for _, _, tags in stats.told if "waits_for" not in tags)
    TaleCraftHook().generate("A fox")
    assert stats.told[-1][2] == {"conn_id": "talecraft_default"}  # there is no task


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"message": "Invalid API key"}, "authentication"),
        ({"message": "Unsupported style"}, "invalid_request"),
        ({"message": "insufficient credits"}, "insufficient_credits"),
        ({"status": 429, "retry_after": 3600}, "rate_limit"),
        ({"message": "Image generation service is not configured"}, "unavailable"),
        ({"message": "Generation failed"}, "generation_failed"),
        ({"message": "A sentence from outside"}, "generation_failed"),
    ],
)
def test_a_refusal_is_told_by_kind_and_not_in_the_services_words(connected, stats, fault, kind):
    connected.fault(times=None, **fault)
    with pytest.raises((errors.TaleCraftError, AirflowFailException)):
        execute()
    assert stats.counts() == {"refused": 1}
    assert stats.tags(metrics.REFUSED) == [{**TASK, "error": kind}]
    assert not stats.values(metrics.PICTURE)


def test_every_error_that_refuses_a_request_has_a_kind_of_its_own():
    classes = {
        error for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.TaleCraftError) and error.outcome == "refused"
    }  # fmt: skip
    assert set(metrics.KINDS) == classes
    assert len(set(metrics.KINDS.values())) == len(classes)


def test_a_lost_answer_is_unknown_and_the_request_after_it_a_replay(connected, stats):
    store = Store()
    connected.fault(drop="after_charge")
    with pytest.raises(errors.TaleCraftOutcomeUnknownError):
        execute(store=store)
    assert stats.counts() == {"unknown": 1}
    execute(store=store, try_number=2)
    assert stats.counts() == {"unknown": 1, "replays": 1, "delivered": 1, "credits": 2}


@pytest.mark.parametrize("error", [AirflowTaskTimeout("late"), SystemExit(), ValueError()])
def test_whatever_interrupts_a_request_leaves_it_unknown(stats, error):
    with pytest.raises(type(error)), Metrics().request():
        raise error
    assert stats.counts() == {"unknown": 1}


@pytest.mark.parametrize("error", [HaltedError("halted"), MovedBackError("moved")])
def test_a_request_that_the_batch_takes_back_is_not_told(stats, error):
    with pytest.raises(type(error)), Metrics().request():
        raise error
    assert not stats.told


def test_a_picture_that_was_found_is_not_told(connected, stats, tmp_path):
    store = Store()
    execute(store=store)
    draw(tmp_path)
    before = list(stats.told)
    execute(store=store, try_number=2)
    draw(tmp_path)
    assert stats.told == before


def test_a_batch_tells_how_long_each_request_waited_for_its_turn(connected, stats):
    operator = GenerateIllustrationBatchOperator(
        task_id="t", prompts=["a", "b", "c"], max_concurrency=3, requests_per_minute=120
    )
    operator.execute({"ti": TaskInstance(), "task_state_store": None})
    assert stats.tags(metrics.WAIT) == [{**TASK, "waits_for": "turn"}] * 3
    first, second, third = sorted(stats.values(metrics.WAIT))
    assert first < second
    assert (second > 400, third > 900) == (True, True), "at this pace one starts every 500 ms"


def test_a_time_is_told_in_milliseconds_to_the_microsecond(stats):
    Metrics().waited(1.2345678, metrics.TURN)
    assert stats.values(metrics.WAIT) == [1234.568]


def test_a_wait_for_another_tasks_picture_is_told(connected, stats, tmp_path):
    killed_while_asking(tmp_path / "fox.json", busy_for=1.5)
    draw(tmp_path, name="fox", ti=another_run())
    assert stats.tags(metrics.WAIT) == [{**TASK, "waits_for": "another_task"}]
    assert 1000 < stats.values(metrics.WAIT)[0] < 10_000


def test_a_broken_receiver_breaks_no_task(connected, stats, caplog):
    stats.broken = True
    assert execute()["image_url"]
    assert len(batch([f"Page {n}." for n in range(5)])) == 5
    assert "Airflow did not take the metric talecraft.delivered" in caplog.text


def test_a_tag_is_plain_ascii():
    class TI:
        dag_id = "书,=1 2"
        task_id = "group.draw-it"

    assert Metrics(TI(), "a|b:c@d")._tags == {"dag_id": "___1_2", "task_id": "group.draw-it", "conn_id": "a_b_c_d"}


def test_a_name_is_one_that_airflow_and_prometheus_take():
    for name in (*metrics.COUNTERS, *metrics.TIMINGS):
        assert re.fullmatch(r"talecraft\.[a-z_]+", name)


def test_threads_may_tell_at_a_time(stats):
    one = Metrics()
    threads = [threading.Thread(target=one.replay) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stats.counts() == {"replays": 20}

"""Of several tasks with one destination, one sends; what a dead worker left keeps nobody away."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_talecraft.pictures.place import ObjectLocation
from airflow_provider_talecraft.spending.claims import MOST_LEFT, OWNER, TakenError, claimed, is_of, is_over, loads

ME = {"dag_id": "d", "task_id": "t", "run_id": "r", "map_index": -1}
ANOTHER = {**ME, "run_id": "another"}
PAST, FUTURE = "2026-01-02T03:04:05+00:00", "2999-01-02T03:04:05+00:00"


@pytest.fixture
def receipt(tmp_path):
    return ObjectLocation(ObjectStoragePath(f"file://{tmp_path}/fox.json"))


@pytest.fixture
def left(tmp_path):
    """Leave claims behind, as dead workers do: ``left(2, 3, busy_until=PAST)``."""

    def leave(*numbers, owner=ANOTHER, busy_until=PAST):
        for number in numbers:
            (tmp_path / f"fox.json.{number}").write_text(json.dumps({**owner, "busy_until": busy_until}))

    return leave


def claim(receipt, number=2, *, owner=ME, until=FUTURE, is_current=lambda: True):
    return claimed(receipt, number, owner=owner, until=until, is_current=is_current)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_who_has_claimed_a_request_keeps_others_away_until_it_is_on_its_way(receipt, tmp_path):
    with claim(receipt) as number:
        assert number == 2
        assert json.loads((tmp_path / "fox.json.2").read_text()) == {**ME, "busy_until": FUTURE}
        with pytest.raises(TakenError, match=r"says the receipt file://.*/fox\.json: nothing was sent"):
            with claim(receipt, owner=ANOTHER):
                pytest.fail("two have one request")
        assert names(tmp_path) == ["fox.json.2"]
    assert names(tmp_path) == []


@pytest.mark.parametrize("owner", [ANOTHER, ME])
def test_a_claim_is_kept_by_a_worker_that_may_be_alive_though_its_task_is_tried_again(receipt, left, owner):
    left(2, owner=owner, busy_until=FUTURE)
    with pytest.raises(TakenError), claim(receipt):
        pytest.fail("two have one request")


@pytest.mark.parametrize("owner", [ANOTHER, ME])
def test_claims_of_dead_workers_are_passed_over_and_removed_in_the_end(receipt, tmp_path, left, owner):
    left(2, 3, owner=owner, busy_until=PAST)
    with claim(receipt) as number:
        assert number == 4
        assert names(tmp_path) == ["fox.json.2", "fox.json.3", "fox.json.4"]
    assert names(tmp_path) == []


def test_so_many_dead_workers_in_a_row_are_no_accident(receipt, left):
    left(*range(2, 1 + MOST_LEFT))
    with claim(receipt) as number:
        assert number == 1 + MOST_LEFT
    left(*range(2, 2 + MOST_LEFT))
    with pytest.raises(TakenError, match=r"the receipt file://.*fox\.json"), claim(receipt):
        pytest.fail("something was sent")


def test_who_counted_from_an_old_receipt_sends_nothing_and_leaves_no_claim(receipt, tmp_path, left):
    left(2)
    with pytest.raises(TakenError, match=r"the receipt file://.*fox\.json"), claim(receipt, is_current=lambda: False):
        pytest.fail("something was sent")
    assert names(tmp_path) == ["fox.json.2"]


def test_an_error_in_the_block_takes_the_claim_away(receipt, tmp_path):
    with pytest.raises(ConnectionError), claim(receipt):
        raise ConnectionError
    assert names(tmp_path) == []


def test_a_claim_that_goes_at_this_moment_was_anothers(receipt, left, monkeypatch):
    left(2)
    monkeypatch.setattr(ObjectLocation, "read", lambda *_: None)
    with pytest.raises(TakenError, match=r"the receipt file://.*fox\.json"), claim(receipt):
        pytest.fail("something was sent")


def test_a_claim_that_cannot_be_removed_does_no_harm(receipt, monkeypatch, caplog):
    def broken(_self):
        raise ConnectionError("the store is gone")

    monkeypatch.setattr(ObjectLocation, "remove", broken)
    with claim(receipt):
        pass
    assert "fox.json.2 could not be removed" in caplog.text


@pytest.mark.parametrize("name", OWNER)
def test_whose_it_is_is_said_by_all_of_dag_task_run_and_map_index(name):
    assert is_of(ME, ME)
    assert not is_of({**ME, name: 0}, ME)
    assert not is_of({field: value for field, value in ME.items() if field != name}, ME)


@pytest.mark.parametrize(
    ("facts", "over"),
    [({"busy_until": FUTURE}, False), ({"busy_until": PAST}, True), ({}, True), ({"busy_until": None}, True),
     ({"busy_until": "soon"}, True), ({"busy_until": "2999-01-02T03:04:05"}, True)],
)  # fmt: skip
def test_nobody_is_at_work_after_the_time_or_when_it_cannot_be_read(facts, over):
    assert is_over(facts) is over


@pytest.mark.parametrize("content", [None, b"", b"{", b"[1]", b"[" * 100_000])
def test_what_is_no_object_says_nothing(content):
    assert loads(content) == {}
    assert loads(b'{"a": 1}') == {"a": 1}

"""The book itself: reservations, bounds, what it keeps and what it never does."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from airflow_provider_talecraft.sandbox import ledger as ledger_module
from airflow_provider_talecraft.sandbox.ledger import Ledger, Order

ORDER = Order(prompt="a fox", style="children_book", aspect_ratio="1:1")


def _charge(ledger, order=ORDER):
    with ledger.reserve() as reservation:
        return reservation.charge(order, "http://x")


def test_a_reservation_that_is_not_charged_is_given_back():
    ledger = Ledger(2)
    with pytest.raises(RuntimeError), ledger.reserve():
        raise RuntimeError
    with ledger.reserve() as reservation:
        assert reservation is not None
        with ledger.reserve() as second:
            assert second is None
    assert (ledger.credits, ledger.spent) == (2, 0)


def test_the_balance_falls_with_the_charge_and_not_with_the_reservation():
    ledger = Ledger(3)
    with ledger.reserve() as reservation:
        assert ledger.credits == 3
        reservation.charge(ORDER, "http://x")
        assert (ledger.credits, ledger.spent) == (1, 2)
    assert (ledger.credits, ledger.spent) == (1, 2)


def test_setting_the_balance_leaves_what_is_set_aside_alone():
    ledger = Ledger(10)
    with ledger.reserve() as reservation:
        ledger.set_credits(0)
        reservation.charge(ORDER, "http://x")
    assert ledger.credits == 0
    ledger.set_credits(7)
    assert ledger.credits == 7


def test_the_oldest_charges_are_forgotten_and_the_totals_stay_exact(monkeypatch):
    monkeypatch.setattr(ledger_module, "MAX_CHARGES", 3)
    ledger = Ledger(100)
    charges = [_charge(ledger) for _ in range(5)]

    book = ledger.as_dict()
    assert [entry["id"] for entry in book["charges"]] == [charge.id for charge in charges[2:]]
    assert (book["spent"], book["credits"], book["forgotten_charges"]) == (10, 90, 2)
    assert ledger.picture(charges[0].picture) is None
    assert ledger.picture(charges[4].picture) == ORDER
    assert [charge.id for charge in ledger.latest(2)] == [charges[4].id, charges[3].id]


def test_long_prompts_are_forgotten_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(ledger_module, "MAX_PROMPT_CHARS", 10)
    ledger = Ledger(100)
    for prompt in ("x" * 6, "y" * 4, "z"):
        _charge(ledger, Order(prompt=prompt, style="children_book", aspect_ratio="1:1"))

    assert [entry["prompt"] for entry in ledger.as_dict()["charges"]] == ["y" * 4, "z"]


def test_ten_thousand_generations_fit_in_a_few_mebibytes():
    tracemalloc.start()
    ledger = Ledger(20_000)
    for number in range(10_000):
        arrival = ledger.arrive()
        arrival.prompt = prompt = f"a fox number {number} in the snow"
        _charge(ledger, Order(prompt=prompt, style="children_book", aspect_ratio="1:1"))
        arrival.end("delivered", "ok")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 20 * 2**20
    assert len(ledger.as_dict()["charges"]) == 10_000


def test_the_ledger_is_the_same_over_http_and_never_holds_a_key(box):
    box.paint("a fox")
    box.generate({"prompt": "x"}, key="another-secret")
    box.generate({"prompt": "y" * 1000, "style": "noir"})

    book = box.get("/sandbox/ledger").json()
    assert book == box.sandbox.ledger()
    assert [(entry["prompt"], entry["outcome"], entry["message"]) for entry in book["requests"]] == [
        ("a fox", "delivered", "ok"),
        ("x", "refused", "Invalid API key"),
        ("y" * 200, "refused", "Unsupported style"),
    ]
    assert "key" not in json.dumps(book).replace("Invalid API key", "")


def test_credits_can_be_topped_up_and_taken_away(box):
    assert box.post("/sandbox/credits", {"credits": 1}).json() == {"credits": 1}
    assert box.generate({"prompt": "a fox"}).json()["message"] == "insufficient credits"
    box.sandbox.set_credits(2)
    assert box.generate({"prompt": "a fox"}).json()["code"] == 0


@pytest.mark.parametrize(
    "body", [{}, {"credits": -1}, {"credits": "5"}, {"credits": 1.5}, {"credits": True}, {"credits": 1, "x": 1}, [], 5]
)
def test_a_balance_that_is_none_is_refused(box, body):
    response = box.post("/sandbox/credits", body)
    assert response.status_code == 400
    assert "credits" in response.json()["error"]
    assert box.sandbox.ledger()["credits"] == 1000


def test_a_reset_takes_everything_back_to_the_start(box):
    box.sandbox.fault(message="x", times=None, prompt="never asked for")
    image_url = box.paint()["image_url"]
    box.post("/sandbox/credits", {"credits": 5})

    answer = box.post("/sandbox/reset", headers={"Content-Type": "application/json"}).json()
    assert answer == box.sandbox.ledger()
    assert (answer["credits"], answer["spent"], answer["charges"], answer["requests"]) == (1000, 0, [], [])
    assert box.get("/sandbox/faults").json() == []
    assert box.get(image_url.removeprefix(box.sandbox.url)).status_code == 404

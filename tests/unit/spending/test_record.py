"""What the next try may send, by what the tries before it left in the store."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowTaskTimeout
from state_store import Store

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
from airflow_provider_talecraft.api.protocol import UNKNOWN_ADVICE
from airflow_provider_talecraft.spending.record import SpendRecord, fingerprint
from airflow_provider_talecraft.spending.store import StateKey

RESULT = {"id": "1", "image_url": "https://host/x.jpeg"}
FOX = fingerprint("talecraft_default", {"prompt": "A fox"})
OWL = fingerprint("talecraft_default", {"prompt": "An owl"})


class Killed(BaseException):
    """What ends a worker without any chance to write."""


@pytest.fixture
def store():
    return Store()


def record(store, *, asked=FOX, max_tries=3, try_number=1, max_replays=1, on_clear="regenerate"):
    return SpendRecord(
        None if store is None else StateKey(store),
        fingerprint=asked,
        max_tries=max_tries,
        try_number=try_number,
        max_replays=max_replays,
        on_clear=on_clear,
    )


def deliver(store, **kwargs):
    one = record(store, **kwargs)
    with one.attempt("A fox"):
        pass
    one.deliver(RESULT)


def lose(store, error=Killed, **kwargs):
    with pytest.raises(error), record(store, **kwargs).attempt("A fox"):
        raise error("no answer")


def refuse(store, **kwargs):
    lose(store, errors.TaleCraftGenerationFailedError, **kwargs)


def test_the_first_try_has_something_to_draw(store):
    assert record(store).delivered is None


def test_what_an_earlier_try_delivered_is_returned(store):
    deliver(store)
    assert record(store).delivered == RESULT


def test_a_clear_draws_again_or_reuses(store):
    deliver(store)
    assert record(store, max_tries=7).delivered is None
    assert record(store, max_tries=7, on_clear="reuse").delivered == RESULT


def test_a_picture_drawn_after_a_clear_belongs_to_that_clear(store):
    deliver(store)
    deliver(store, max_tries=7)
    assert record(store, max_tries=7).delivered == RESULT
    assert record(store, max_tries=11).delivered is None


@pytest.mark.parametrize("on_clear", ["regenerate", "reuse"])
def test_another_request_is_drawn(store, on_clear):
    deliver(store)
    assert record(store, asked=OWL, on_clear=on_clear).delivered is None


@pytest.mark.parametrize("error", [Killed, errors.TaleCraftOutcomeUnknownError])
@pytest.mark.parametrize("max_replays", [0, 1, 3])
def test_a_request_without_an_answer_is_replayed_at_most_so_often(store, error, max_replays):
    for _ in range(1 + max_replays):
        lose(store, error, max_replays=max_replays)
    with pytest.raises(errors.TaleCraftOutcomeUnknownError, match="not sent again") as caught:
        with record(store, max_replays=max_replays).attempt("A fox"):
            pytest.fail("something was sent")
    assert caught.value.replays_left == 0


def test_a_clear_gives_no_replay_back(store):
    lose(store)
    lose(store)
    with pytest.raises(errors.TaleCraftOutcomeUnknownError, match="not sent again"):
        with record(store, max_tries=7).attempt("A fox"):
            pytest.fail("something was sent")


def test_after_a_clear_another_request_is_another_record(store, caplog):
    lose(store)
    lose(store)
    with record(store, asked=OWL, max_tries=7).attempt("An owl"):
        pass
    assert record(store, asked=OWL, max_tries=7).replays == 0
    assert "has no answer and may have been charged, sent at" in caplog.text


def test_a_clear_of_a_delivered_picture_says_what_it_costs_and_how_to_keep_it(store, caplog):
    deliver(store)
    record(store, max_tries=7)
    (line,) = [line for line in caplog.records if line.levelname == "WARNING"]
    assert "for 2 more credits" in line.getMessage()
    assert 'on_clear="reuse"' in line.getMessage()


def test_when_the_store_was_emptied_between_two_tries_it_is_said(store, caplog):
    deliver(store)
    store.values.clear()
    assert record(store, try_number=2).delivered is None
    assert "if one of them sent a request, this one pays again" in caplog.text


def test_what_is_kept_says_what_it_means(store):
    lose(store)
    assert store.get("talecraft")["about"].startswith("Sent, and no answer yet")
    deliver(store)
    about = store.get("talecraft")["about"]
    assert about.startswith("Delivered: 2 credits. Earlier requests without an answer may have been charged: 20")
    refuse(store, asked=OWL)
    assert store.get("talecraft")["about"].startswith("Refused, or not sent: nothing was charged.")


def test_a_prompt_that_changes_with_every_try_does_not_escape_the_limit(store):
    lose(store)
    lose(store, asked=OWL)
    with pytest.raises(errors.TaleCraftOutcomeUnknownError, match="not sent again"):
        with record(store, asked=FOX).attempt("A fox"):
            pytest.fail("something was sent")


def test_a_refused_request_was_answered(store):
    refuse(store)
    assert store.get("talecraft")["unanswered"] == []
    lose(store)
    refuse(store)
    assert len(store.get("talecraft")["unanswered"]) == 1


def test_after_a_refusal_sending_again_is_no_replay(store):
    refuse(store)
    refuse(store)
    lose(store)
    assert record(store).replays_left == 1


def test_replays_count_for_the_life_of_the_task_instance(store):
    lose(store)
    deliver(store)
    lose(store, max_tries=7)
    with pytest.raises(errors.TaleCraftOutcomeUnknownError, match="not sent again"):
        with record(store, max_tries=7).attempt("A fox"):
            pytest.fail("something was sent")


def test_an_unknown_outcome_says_how_many_replays_are_left(store):
    for left in (2, 1, 0):
        with pytest.raises(errors.TaleCraftOutcomeUnknownError) as caught:
            with record(store, max_replays=2).attempt("A fox"):
                raise errors.TaleCraftOutcomeUnknownError("No answer.")
        assert caught.value.replays_left == left


def test_the_last_error_says_what_is_at_stake_and_how_to_go_on(store):
    lose(store)
    with pytest.raises(errors.TaleCraftOutcomeUnknownError) as caught:
        with record(store).attempt("A fox"):
            raise errors.TaleCraftOutcomeUnknownError("No answer.")
    message = str(caught.value)
    assert message.startswith("No answer. Up to")
    assert "Up to 4 credits may have been charged" in message
    assert "delete the key 'talecraft' under Storage > Task State Store" in message
    with pytest.raises(errors.TaleCraftOutcomeUnknownError) as caught, record(store).attempt("A fox"):
        pytest.fail("something was sent")
    sent = json.loads(store.values["talecraft"])["unanswered"]
    assert len(sent) == 2
    assert all(time in str(caught.value) for time in sent)


def test_in_the_last_error_what_was_advised_and_is_not_done_is_left_out(store):
    with pytest.raises(errors.TaleCraftOutcomeUnknownError) as caught:
        with record(store, max_replays=0).attempt("A fox"):
            raise errors.TaleCraftOutcomeUnknownError(f"No answer ({UNKNOWN_ADVICE}) came.")
    assert str(caught.value).startswith("No answer () came. Up to 2 credits may have been charged")


def test_without_a_record_the_way_to_go_on_is_a_clear():
    with pytest.raises(errors.TaleCraftOutcomeUnknownError, match=r"and perhaps pay again, clear the task\.$"):
        with record(None, max_replays=0).attempt("A fox"):
            raise errors.TaleCraftOutcomeUnknownError("No answer.")


@pytest.mark.parametrize(
    ("finish", "happened"),
    [
        (lambda one: one.deliver(RESULT), "The picture was delivered"),
        (lambda one: refused(one.attempt("A fox")), "The request was refused"),
        (lambda one: unknown(one.attempt("A fox")), "The request has no answer"),
    ],
)
def test_what_could_not_be_written_down_afterwards_is_in_the_log(store, caplog, finish, happened):
    one = record(store)
    one._keeper.begin = lambda entry: None
    store.broken = True
    finish(one)
    assert f"{happened}, but its record could not be completed" in caplog.text


def refused(attempt):
    with pytest.raises(errors.TaleCraftGenerationFailedError), attempt:
        raise errors.TaleCraftGenerationFailedError("No.")


def unknown(attempt):
    with pytest.raises(errors.TaleCraftOutcomeUnknownError), attempt:
        raise errors.TaleCraftOutcomeUnknownError("No answer.")


def test_what_is_obtained_names_its_prompt_if_that_is_a_fallback(store):
    made = Illustration("1", "success", "https://host/x.jpeg")
    fox, owl = IllustrationRequest("A fox"), IllustrationRequest("An owl")

    def send(request):
        if request is fox:
            raise errors.TaleCraftGenerationFailedError("Generation failed.")
        return made

    expected = {"id": "1", "status": "success", "image_url": "https://host/x.jpeg"}
    assert record(None).obtain([owl], send) == expected
    assert record(store).obtain([fox, owl], send) == {**expected, "prompt": "An owl"}
    assert record(store).obtain([fox, owl], lambda _: pytest.fail("something was sent")) == {
        **expected, "prompt": "An owl",
    }  # fmt: skip
    with pytest.raises(errors.TaleCraftGenerationFailedError):
        record(None).obtain([fox, fox], send)


def test_a_refusal_is_not_hidden_by_a_store_that_fails_now(store):
    refused = record(store).attempt("A fox")
    refused.__enter__()
    store.broken = True
    error = errors.TaleCraftAuthenticationError("Invalid API key")
    assert refused.__exit__(type(error), error, None) is False


def test_a_person_can_read_the_record(store):
    with pytest.raises(Killed), record(store).attempt("A fox in the snow. " * 100):
        raise Killed
    stored = json.loads(store.values["talecraft"])
    assert stored["state"] == "sent"
    assert stored["max_tries"] == 3
    assert stored["replays"] == 0
    assert stored["prompt"].startswith("A fox in the snow.")
    assert len(store.values["talecraft"]) < 1000


def test_nothing_is_sent_when_the_record_cannot_be_written(store):
    store.broken = True
    with pytest.raises(ConnectionError), record(store).attempt("A fox"):
        pytest.fail("something was sent")


def test_what_could_not_be_written_down_was_not_sent_and_is_no_replay(store):
    lose(store)
    one, store.broken = record(store), True
    with pytest.raises(ConnectionError), one.attempt("A fox"):
        pytest.fail("something was sent")
    assert (one.unanswered, one.replays, one.replays_left) == (1, 0, 1)


def test_a_paid_picture_is_not_lost_when_its_record_cannot_be_completed(store):
    one = record(store)
    with one.attempt("A fox"):
        pass
    store.broken = True
    one.deliver(RESULT)


@pytest.mark.parametrize(
    "edit",
    [
        {"state": "paid"}, {"state": None}, {"state": ["sent"]}, {"replays": -1}, {"replays": "0"}, {"replays": False},
        {"max_tries": None}, {"max_tries": False},
        {"unanswered": "2026"}, {"unanswered": [1]}, {"prompt": 7}, {"fingerprint": None},
        {"result": None}, {"result": {}}, {"result": {"image_url": ""}}, {"result": {"image_url": 7}}, {"result": "x"},
        {"extra": 1},
    ],
)  # fmt: skip
def test_a_record_edited_to_nonsense_is_an_error_before_anything_is_sent(store, edit):
    deliver(store)
    store.set("talecraft", {**store.get("talecraft"), **edit})
    with pytest.raises(AirflowFailException, match=r"cannot be read .*nothing was sent.*'talecraft'"):
        record(store)


@pytest.mark.parametrize("value", ["sent", 7, [], {}, True, {"state": "sent"}])
def test_anything_else_under_the_key_is_an_error_too(store, value):
    store.set("talecraft", value)
    with pytest.raises(AirflowFailException, match="cannot be read"):
        record(store)


@pytest.mark.parametrize(("try_number", "left"), [(1, 1), (2, 0), (3, 0), (None, None)])
def test_without_a_store_every_earlier_try_counts_as_a_replay_and_outside_a_task_nobody_counts(try_number, left):
    one = record(None, try_number=try_number)
    assert one.delivered is None
    with pytest.raises(errors.TaleCraftOutcomeUnknownError) as caught, one.attempt("A fox"):
        raise errors.TaleCraftOutcomeUnknownError("No answer.")
    assert caught.value.replays_left == left


@pytest.mark.parametrize(
    ("kept", "error"), [(Store(), AirflowTaskTimeout), (None, errors.TaleCraftOutcomeUnknownError)]
)
def test_a_timeout_of_the_task_is_an_unknown_outcome_by_the_record_or_by_the_error(kept, error):
    lose_to_a_timeout = record(kept).attempt("A fox")
    with pytest.raises(error, match="Timeout, PID: 1") as caught, lose_to_a_timeout:
        raise AirflowTaskTimeout("Timeout, PID: 1")
    assert kept or caught.value.replays_left == 1
    if kept:
        assert kept.get("talecraft")["state"] == "sent"


def test_a_fingerprint_tells_connection_prompt_style_and_ratio_apart():
    marks = [
        fingerprint("a", {"prompt": "x", "style": "s", "aspect_ratio": "1:1"}),
        fingerprint("b", {"prompt": "x", "style": "s", "aspect_ratio": "1:1"}),
        fingerprint("a", {"prompt": "y", "style": "s", "aspect_ratio": "1:1"}),
        fingerprint("a", {"prompt": "x", "style": "t", "aspect_ratio": "1:1"}),
        fingerprint("a", {"prompt": "x", "style": "s", "aspect_ratio": "2:3"}),
        fingerprint("a", {"prompt": "x", "style": "s", "aspect_ratio": "1:1"}, {"prompt": "y"}),
    ]
    assert len(set(marks)) == len(marks)

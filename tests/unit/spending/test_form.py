"""Which JSON is a receipt, fact by fact; what is none is never taken for "no receipt"."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.spending.form import MOST_REQUESTS, about, read

SENT = "2026-01-02T03:04:05+00:00"
ASKED = {
    "talecraft_receipt": 1, "state": "asked", "fingerprint": "f", "prompt": "A fox", "style": "s",
    "aspect_ratio": "1:1",
    "fallback_prompts": [], "credits": 0, "replays": 0, "unanswered": [SENT], "requests": 1,
    "dag_id": "d", "task_id": "t", "run_id": "r", "map_index": -1, "max_tries": 4, "busy_until": SENT,
}  # fmt: skip
REFUSED = {**ASKED, "state": "refused", "unanswered": []}
ANSWERED = {**REFUSED, "state": "answered", "id": "1", "status": "success", "image_url": "https://host/x.jpeg"}
FETCHED = {
    **ANSWERED, "state": "fetched", "file": "fox.jpeg", "source": "https://host/x.jpeg", "sha256": "00",
    "content_type": "image/jpeg", "bytes": 0, "width": 0, "height": 0,
}  # fmt: skip
STORED = {**FETCHED, "state": "stored"}
WHOLE = (ASKED, REFUSED, ANSWERED, FETCHED, STORED)
FILES = ["fox.jpeg", "fox.png"]
GONE = object()


def read_back(facts):
    return read(json.dumps(facts).encode(), "the place", FILES)


def edited(facts, **changes):
    return {name: value for name, value in {**facts, **changes}.items() if value is not GONE}


def refuse(facts):
    with pytest.raises(AirflowFailException, match="What stands at the place is no receipt"):
        read_back(facts)


@pytest.mark.parametrize("facts", WHOLE, ids=lambda facts: facts["state"])
def test_a_receipt_in_each_of_its_states_is_read_without_its_version_and_its_sentence(facts):
    expected = {name: value for name, value in facts.items() if name != "talecraft_receipt"}
    assert read_back({**facts, "about": "A sentence."}) == expected


@pytest.mark.parametrize("facts", WHOLE, ids=lambda facts: facts["state"])
@pytest.mark.parametrize(
    "name", ["state", "fingerprint", "prompt", "style", "aspect_ratio", "dag_id", "task_id", "run_id"]
)
@pytest.mark.parametrize("value", [GONE, None, 7, ["x"]])
def test_a_text_that_is_none_makes_it_no_receipt(facts, name, value):
    refuse(edited(facts, **{name: value}))


@pytest.mark.parametrize("name", ["id", "status", "image_url", "source"])
def test_what_only_later_states_have_may_be_missing_and_is_text_if_it_is_there(name):
    assert name not in read_back(edited(REFUSED, **{name: GONE}))
    for value in (None, 7):
        refuse(edited(REFUSED, **{name: value}))


@pytest.mark.parametrize("name", ["replays", "requests", "max_tries", "credits"])
def test_a_count_is_a_whole_number_from_0(name):
    assert read_back({**ASKED, name: 0})[name] == 0
    for value in (GONE, -1, "1", 1.0, True, None):
        refuse(edited(ASKED, **{name: value}))


def test_a_map_index_may_be_minus_one_and_is_a_whole_number():
    for value in (GONE, "0", 0.0, False, None):
        refuse(edited(ASKED, map_index=value))


def test_more_requests_than_anybody_sends_are_none_of_ours():
    assert read_back({**ASKED, "requests": MOST_REQUESTS})["requests"] == MOST_REQUESTS
    refuse({**ASKED, "requests": MOST_REQUESTS + 1})


@pytest.mark.parametrize("changes", [{"state": "drawn"}, {"talecraft_receipt": 2}, {"talecraft_receipt": GONE}])
def test_another_state_or_edition_is_not_gone_by(changes):
    refuse(edited(ASKED, **changes))


@pytest.mark.parametrize("value", [GONE, None, SENT, {}, [7], [SENT, None]])
def test_requests_without_an_answer_are_a_list_of_times(value):
    refuse(edited(ASKED, unanswered=value))
    refuse(edited(REFUSED, unanswered=value))


def test_who_asked_has_no_answer_yet_and_who_was_answered_has_a_url():
    refuse({**ASKED, "unanswered": []})
    refuse(edited(ANSWERED, image_url=GONE))
    refuse({**ANSWERED, "image_url": ""})


@pytest.mark.parametrize("state", ["fetched", "stored"])
@pytest.mark.parametrize("name", ["file", "source", "sha256", "content_type", "bytes", "width", "height"])
@pytest.mark.parametrize("value", [GONE, None, "", -1, True])
def test_a_picture_that_may_stand_is_described_as_a_whole(state, name, value):
    refuse(edited(STORED, state=state, **{name: value}))


@pytest.mark.parametrize("file", ["fox.webp", "../fox.jpeg", "fox", ["fox.jpeg"]])
def test_a_file_that_the_picture_cannot_have_is_none_of_the_receipts(file):
    assert read_back({**STORED, "file": "fox.png"})["file"] == "fox.png"
    refuse({**STORED, "file": file})


@pytest.mark.parametrize(
    "replaced", [7, [], "x", {}, FETCHED, {**STORED, "state": "x"}, edited(STORED, prompt=7), {**STORED, "file": "x"}]
)
def test_what_is_replaced_was_stored_and_has_a_whole_receipt_too(replaced):
    assert read_back({**ASKED, "replaces": STORED})["replaces"] == STORED
    refuse({**ASKED, "replaces": replaced})


@pytest.mark.parametrize("text", ['"\\ud800"', "NaN", "Infinity"])
def test_what_cannot_be_written_again_makes_it_no_receipt(text):
    content = json.dumps({**ASKED, "note": "HERE"}).replace('"HERE"', text)
    with pytest.raises(AirflowFailException, match="nothing was sent"):
        read(content.encode(), "the place", FILES)


@pytest.mark.parametrize(("depth", "is_one"), [(50, True), (100_000, False)])
def test_what_is_nested_too_deeply_to_be_read_is_none(depth, is_one):
    content = json.dumps({**ASKED, "note": "HERE"}).replace('"HERE"', "[" * depth + "]" * depth).encode()
    if is_one:
        assert "note" in read(content, "the place", FILES)
    else:
        with pytest.raises(AirflowFailException, match="nothing was sent"):
            read(content, "the place", FILES)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (ASKED, f"A request is on its way, or has no answer. Without an answer, and perhaps charged: {SENT}."),
        (REFUSED, "The last request was refused: nothing was charged for it."),
        (ANSWERED, "2 credits. The picture is not fetched yet."),
        (FETCHED, "2 credits. The picture is being stored."),
        (STORED, "2 credits. The picture stands in fox.jpeg."),
        (
            {**STORED, "unanswered": [SENT, "2027"]},
            f"2 credits. The picture stands in fox.jpeg. Without an answer, and perhaps charged: {SENT}, 2027.",
        ),
    ],
)
def test_it_says_in_a_sentence_what_it_is(facts, sentence):
    assert about(facts) == sentence

"""What a record says to the person who looks at it."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.spending.entry import Entry

ONE, OTHER = "2026-01-02T03:04:05+00:00", "2026-01-03T03:04:05+00:00"


@pytest.mark.parametrize(
    ("state", "unanswered", "sentence"),
    [
        ("delivered", [], "Delivered: 2 credits."),
        ("delivered", [ONE], f"Delivered: 2 credits. Earlier requests without an answer may have been charged: {ONE}."),
        ("refused", [], "Refused, or not sent: nothing was charged."),
        (
            "refused", [ONE, OTHER],
            ("Refused, or not sent: nothing was charged. Earlier requests without an answer may have been charged: "
            f"{ONE} and {OTHER}."),
        ),
        ("sent", [ONE], f"Sent, and no answer yet: each of these may have been charged: {ONE}."),
        ("sent", [], "Sent, and no answer yet: each of these may have been charged: an unknown time."),
    ],
)  # fmt: skip
def test_it_says_what_was_paid_and_what_may_have_been(state, unanswered, sentence):
    entry = Entry(state, "f", 3, unanswered=unanswered, result={"image_url": "https://host/x"})
    assert entry.about() == sentence
    assert next(iter(entry.as_json().items())) == ("about", sentence)
    assert Entry.read(entry.as_json()) == entry

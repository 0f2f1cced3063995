"""A request that TaleCraft is known to refuse cannot be made."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.api.models import ASPECT_RATIOS, IllustrationRequest
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError


def test_the_payload_is_the_documented_body():
    assert IllustrationRequest("A brave knight", aspect_ratio="16:9").payload() == {
        "prompt": "A brave knight",
        "style": "children_book",
        "aspect_ratio": "16:9",
    }


def test_the_ratios_are_the_references_table():
    assert ASPECT_RATIOS == ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9")


def test_an_unknown_style_is_sent_because_the_list_is_open():
    assert IllustrationRequest("A fox", style="watercolour").payload()["style"] == "watercolour"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("prompt", "", "prompt is blank"),
        ("prompt", " \n\t ", "prompt is blank"),
        ("prompt", None, "prompt must be a string, not NoneType"),
        ("prompt", ["A fox"], "prompt must be a string, not list"),
        ("prompt", "half \ud800 pair", "half of a surrogate pair"),
        ("prompt", "A fox\0", "prompt contains a NUL"),
        ("style", "a\0b", "style contains a NUL"),
        ("style", "\udc00", "style contains half of a surrogate pair"),
        ("aspect_ratio", "x" * 99, f"aspect_ratio {'x' * 40!r} is not supported"),
        ("style", "", "style is blank"),
        ("style", 3, "style must be a string, not int"),
        ("aspect_ratio", "", "aspect_ratio is blank"),
        ("aspect_ratio", "5:4", "aspect_ratio '5:4' is not supported"),
        ("aspect_ratio", "1:1 ", "aspect_ratio '1:1 ' is not supported"),
        ("aspect_ratio", None, "aspect_ratio must be a string, not NoneType"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_sent(field, value, says):
    with pytest.raises(TaleCraftInvalidRequestError, match="nothing was sent") as caught:
        IllustrationRequest(**{"prompt": "A fox", field: value})
    assert says in str(caught.value)

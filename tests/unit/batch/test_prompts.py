"""A batch's prompts are right, all of them, before the first is sent."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.batch.prompts import LONGEST_KEY, Items
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError


def items(prompts, style="children_book", aspect_ratio="1:1"):
    return list(Items(prompts, style=style, aspect_ratio=aspect_ratio))


def test_a_string_and_a_mapping_of_one_prompt_ask_for_the_same():
    string, mapping = items(["A fox", {"prompt": "A fox"}], aspect_ratio="3:2")
    assert string.request == mapping.request
    assert string.request.aspect_ratio == "3:2"


def test_a_mapping_has_its_own_style_ratio_and_key():
    (item,) = items([{"prompt": "A fox", "style": "ink", "aspect_ratio": "16:9", "key": "cover"}])
    assert item.request.payload() == {"prompt": "A fox", "style": "ink", "aspect_ratio": "16:9"}
    assert item.key == "cover"


def test_an_item_without_a_key_has_its_index_for_one():
    assert [item.key for item in items(["A", {"prompt": "B", "key": "b"}, "C"])] == ["0", "b", "2"]


def test_any_collection_of_prompts_will_do():
    assert len(items(("A", "B"))) == len(items(prompt for prompt in "AB")) == 2


@pytest.mark.parametrize(
    ("prompts", "says"),
    [
        ("A fox", "prompts must be a list of prompts, not one str"),
        (b"A fox", "prompts must be a list of prompts, not one bytes"),
        ({"prompt": "A fox"}, "prompts must be a list of prompts, not one dict"),
        (None, "prompts must be a list of prompts, not one NoneType"),
        (7, "prompts must be a list of prompts, not one int"),
        ({"A fox", "An owl"}, "prompts must be a list of prompts, not one set"),
        (frozenset({"A fox"}), "prompts must be a list of prompts, not one frozenset"),
        (["A fox\0"], r"prompts\[0\]: prompt contains a NUL"),
        ([], "prompts is empty"),
        ((), "prompts is empty"),
        (["A", ""], r"prompts\[1\]: prompt is blank"),
        (["A", " \n"], r"prompts\[1\]: prompt is blank"),
        (["A", None], r"prompts\[1\]: it must be a string or a mapping, not NoneType"),
        (["A", 7], r"prompts\[1\]: it must be a string or a mapping, not int"),
        (["A", ["B"]], r"prompts\[1\]: it must be a string or a mapping, not list"),
        (["A", {}], r"prompts\[1\]: it has no prompt"),
        (["A", {"promt": "B"}], r"prompts\[1\]: 'promt' is none of prompt, style, aspect_ratio, key"),
        (["A", {"prompt": "B", 7: "C"}], r"prompts\[1\]: '7' is none of"),
        (["A", {"prompt": 7}], r"prompts\[1\]: prompt must be a string, not int"),
        (["A", {"prompt": "", "key": "b"}], r"prompts\[1\] \('b'\): prompt is blank"),
        (["A", {"prompt": "B", "style": ""}], r"prompts\[1\]: style is blank"),
        (["A", {"prompt": "B", "style": None}], r"prompts\[1\]: style must be a string"),
        (["A", {"prompt": "B", "aspect_ratio": "5:4"}], r"prompts\[1\]: aspect_ratio '5:4' is not supported"),
        (["A", {"prompt": "B", "key": ""}], r"prompts\[1\]: key must be a printable string"),
        (["A", {"prompt": "B", "key": 7}], r"prompts\[1\]: key must be a printable string"),
        (["A", {"prompt": "B", "key": None}], r"prompts\[1\]: key must be a printable string"),
        (["A", {"prompt": "B", "key": "a\nb"}], r"prompts\[1\]: key must be a printable string"),
        (["A", {"prompt": "B", "key": "\ud800"}], r"prompts\[1\]: key must be a printable string"),
        (["A", {"prompt": "B", "key": "k" * (LONGEST_KEY + 1)}], r"prompts\[1\]: key must be a printable string"),
        (
            [{"prompt": "A", "key": "x"}, {"prompt": "B", "key": "x"}],
            r"prompts\[1\] and prompts\[0\] have the same key",
        ),
        ([{"prompt": "A", "key": "1"}, "B"], r"prompts\[1\] and prompts\[0\] have the same key '1'"),
        (["A \ud800"], r"prompts\[0\]: prompt contains half of a surrogate pair"),
    ],
)
def test_a_wrong_list_is_refused_with_the_name_of_what_is_wrong(prompts, says):
    with pytest.raises(TaleCraftInvalidRequestError, match=says) as caught:
        items(prompts)
    assert "nothing was sent" in str(caught.value)


def test_the_batchs_own_ratio_is_checked_too():
    with pytest.raises(TaleCraftInvalidRequestError, match="aspect_ratio '5:4'"):
        items(["A"], aspect_ratio="5:4")


def test_the_same_prompt_twice_is_two_illustrations():
    assert [item.key for item in items(["A", "A"])] == ["0", "1"]

"""An operator's options are checked when the Dag is parsed."""

from __future__ import annotations

from typing import Literal

import pytest

from airflow_provider_talecraft.policies.options import checked_count, checked_word

Word = Literal["fail", "keep"]


def test_a_word_is_one_of_those_there_are():
    assert checked_word("on_partial_failure", "keep", Word) == "keep"
    with pytest.raises(ValueError, match=r"^on_partial_failure must be one of fail, keep, not 'stop'\.$"):
        checked_word("on_partial_failure", "stop", Word)


def test_a_count_has_a_smallest_value_which_is_one_if_nothing_else_is_said():
    assert checked_count("max_concurrency", 1) == 1
    assert checked_count("max_replays", 0, at_least=0) == 0
    assert checked_count("max_concurrency", 7) == 7
    with pytest.raises(ValueError, match=r"^max_concurrency must be a whole number of at least 1, not 0\.$"):
        checked_count("max_concurrency", 0)
    with pytest.raises(ValueError, match="at least 3, not 2"):
        checked_count("max_concurrency", 2, at_least=3)


@pytest.mark.parametrize("value", [True, "2", 2.0, None])
def test_a_count_is_a_whole_number(value):
    with pytest.raises(ValueError, match="must be a whole number"):
        checked_count("max_concurrency", value)

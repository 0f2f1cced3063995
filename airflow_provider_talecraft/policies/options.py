"""Checks of an operator's options, made when the Dag is parsed."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

Word = TypeVar("Word", bound=str)


def checked_word(name: str, word: Word, words: Any) -> Word:
    """Return *word* if it is one of the Literal *words*.

    :raises ValueError: if it is not.
    """
    if word not in get_args(words):
        raise ValueError(f"{name} must be one of {', '.join(get_args(words))}, not {word!r}.")
    return word


def checked_count(name: str, count: int, *, at_least: int = 1) -> int:
    """Return *count* if it is a whole number of at least *at_least*.

    :raises ValueError: if it is not.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, not {count!r}.")
    return count

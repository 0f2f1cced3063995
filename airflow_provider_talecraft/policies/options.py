"""An operator's options: their words and defaults, and how they are checked when the Dag is parsed."""

from __future__ import annotations

from typing import Any, Literal, TypeVar, get_args

Word = TypeVar("Word", bound=str)

#: What a clear means for a picture that was delivered.
OnClear = Literal["regenerate", "reuse"]
#: What to do where a picture stands that was drawn for another request.
Redraw = Literal["when_changed", "never", "always"]
#: What to do where something stands already.
IfExists = Literal["skip_same", "overwrite", "fail"]

#: The connection of a task that names none.
DEFAULT_CONN_ID = "talecraft_default"
#: Bytes. What the operators take if they are not told otherwise.
DEFAULT_MAX_BYTES = 50 * 1024 * 1024


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

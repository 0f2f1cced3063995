"""What a batch is asked for: a list of prompts, checked as a whole before the first is sent. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.models import IllustrationRequest
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = ("prompt", "style", "aspect_ratio", "key")
#: Characters; a key is a name, and stands in messages, records and every line of the output.
LONGEST_KEY = 200


@dataclass(frozen=True)
class Item:
    """One illustration of a batch.

    :param index: its place in the list, from 0.
    :param key: the name that was given to it, else its index.
    :param request: what to ask for.
    """

    index: int
    key: str
    request: IllustrationRequest

    def __str__(self) -> str:
        return _name(self.index, self.key)


def with_fallbacks(prompt: Any, fallbacks: Any, *, style: Any, ratio: Any) -> list[IllustrationRequest]:
    """Return what to ask for, in order; all of it is checked before the first is sent.

    :param fallbacks: further prompts, or None.
    :raises TaleCraftInvalidRequestError: if anything is wrong with any of them; the message names it.
    """
    fallbacks = () if fallbacks is None else in_order("fallback_prompts", fallbacks)
    requests = [IllustrationRequest(prompt, style, ratio)]
    for number, fallback in enumerate(fallbacks):
        try:
            requests.append(IllustrationRequest(fallback, style, ratio))
        except TaleCraftInvalidRequestError as error:
            raise TaleCraftInvalidRequestError(f"fallback_prompts[{number}]: {error}") from None
    return requests


def in_order(name: str, prompts: Any) -> Sequence[Any]:
    """Return *prompts* as a sequence, if it is a collection with an order.

    :raises TaleCraftInvalidRequestError: if it is not. In a set, the third prompt of one try is not that of the next.
    """
    if isinstance(prompts, (str, bytes, Mapping, AbstractSet)) or not isinstance(prompts, Iterable):
        raise TaleCraftInvalidRequestError(
            f"{name} must be a list of prompts, not one {type(prompts).__name__}: nothing was sent. "
            "Write [prompt] for a single one."
        )
    return prompts if isinstance(prompts, (list, tuple)) else list(prompts)


class Items:
    """All illustrations of a batch. Holds the list as it was given: an item is made when it is asked for.

    :param prompts: strings, or mappings with ``prompt`` and, if they differ from the rest, ``style``, ``aspect_ratio``
        and ``key``.
    :param style: of items that name none.
    :param aspect_ratio: of items that name none.
    :raises TaleCraftInvalidRequestError: if anything is wrong with any of them; the message names it.
    """

    def __init__(self, prompts: Any, *, style: str, aspect_ratio: str) -> None:
        self._prompts = in_order("prompts", prompts)
        if not self._prompts:
            raise TaleCraftInvalidRequestError("prompts is empty: nothing was sent. Give at least one.")
        self._style = style
        self._aspect_ratio = aspect_ratio
        self._check()

    def __len__(self) -> int:
        return len(self._prompts)

    def __iter__(self) -> Iterator[Item]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Item:
        asked = self._prompts[index]
        given = {"prompt": asked} if isinstance(asked, str) else asked
        if not isinstance(given, Mapping):
            raise _wrong(index, f"it must be a string or a mapping, not {type(given).__name__}: nothing was sent.")
        unknown = [field for field in given if field not in FIELDS]
        if unknown:
            raise _wrong(index, f"{str(unknown[0])[:40]!r} is none of {', '.join(FIELDS)}: nothing was sent.")
        if "prompt" not in given:
            raise _wrong(index, "it has no prompt: nothing was sent.")
        key = given.get("key", str(index))
        if not isinstance(key, str) or not key.strip() or not key.isprintable() or len(key) > LONGEST_KEY:
            raise _wrong(index, f"key must be a printable string of 1 to {LONGEST_KEY} characters: nothing was sent.")
        try:
            request = IllustrationRequest(
                given["prompt"], given.get("style", self._style), given.get("aspect_ratio", self._aspect_ratio)
            )
        except TaleCraftInvalidRequestError as error:
            raise _wrong(index, str(error), given.get("key")) from None
        return Item(index, key, request)

    def _check(self) -> None:
        seen: dict[str, int] = {}
        for item in self:
            if item.key in seen:
                raise TaleCraftInvalidRequestError(
                    f"prompts[{item.index}] and prompts[{seen[item.key]}] have the same key {item.key!r}: nothing was "
                    "sent. An item without a key has its index for one."
                )
            seen[item.key] = item.index


def _wrong(index: int, what: str, key: str | None = None) -> TaleCraftInvalidRequestError:
    return TaleCraftInvalidRequestError(f"{_name(index, key)}: {what}")


def _name(index: int, key: str | None) -> str:
    return f"prompts[{index}]" if key in (None, str(index)) else f"prompts[{index}] ({key!r})"

"""The entries of a manifest, strictly: what a batch writes there, and nothing else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.plugins.confinement import NotShownError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Bytes of a manifest; 10,000 entries have 5 MB, and more if their prompts are long.
LIMIT = 32 * 1024 * 1024
MOST_ENTRIES = 50_000
#: Bytes of an entry.
LINE_LIMIT = 256 * 1024
#: JSON numbers that every reader takes for the same.
LARGEST = 2**53


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def _is_url(value: Any) -> bool:
    return _is_text(value) and re.match(r"https?://", value) is not None


#: What an entry may say.
FIELDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("key", "id", "status", "prompt", "style", "aspect_ratio", "error", "path"), _is_text),
    **dict.fromkeys(("index", "size", "width", "height"), _is_count),
    "image_url": _is_url,
    "sha256": lambda value: _is_text(value) and re.fullmatch(r"[0-9a-f]{64}", value) is not None,
    "content_type": lambda value: value in ("image/jpeg", "image/png", "image/webp"),
    "drawn": lambda value: isinstance(value, bool),
}


def entries(file: Any) -> Iterator[dict[str, Any]]:
    """Return the entries of a manifest, one at a time, in the order of their index.

    :param file: JSON Lines, opened for reading bytes.
    :raises NotShownError: if a line is anything else; those before it have been returned by then.
    """
    before = -1
    for _ in range(MOST_ENTRIES):
        # What is longer comes in pieces, and they are no entries.
        line = file.readline(LINE_LIMIT)
        if not line:
            return
        entry = _entry(line)
        if entry["index"] <= before:
            raise NotShownError("the manifest is not in order")
        before = entry["index"]
        yield entry
    if file.read(1):
        raise NotShownError("the manifest has too many entries")


def _entry(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict) or not {"index", "key"} <= set(entry) <= set(FIELDS):
        raise NotShownError("a line of the manifest is no entry")
    if not all(FIELDS[name](value) for name, value in entry.items()):
        raise NotShownError("a field of the manifest is not what it should be")
    return entry

"""What is to be stored: the output of a batch, or of mapped tasks, checked as a whole before anything is fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.batch.manifest import Manifest
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures.place import store_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What the entry of a drawn illustration says about it.
FACTS = ("key", "id", "prompt", "style", "aspect_ratio")


@dataclass(frozen=True)
class Illustration:
    """One entry.

    :param index: its place in the list, from 0.
    :param key: its name there.
    :param file: name of its file, without extension.
    :param url: where the picture is; empty if it was not drawn.
    :param error: why it was not drawn.
    :param facts: flat facts about it, for its sidecar.
    """

    index: int
    key: str
    file: str
    url: str
    error: str
    facts: dict[str, str]


class Illustrations:
    """All entries, made when they are asked for; a manifest is not held in memory.

    :param given: a list of entries, or the summary of a batch that has them in a manifest.
    :param manifest_conn_id: id of the connection for that manifest.
    :raises TaleCraftDownloadError: if it is neither, or an entry is none; nothing is fetched.
    """

    def __init__(self, given: Any, *, manifest_conn_id: str | None = None) -> None:
        if isinstance(given, Mapping) and isinstance(given.get("manifest_path"), str):
            self._manifest: Manifest | None = Manifest(store_path(given["manifest_path"], manifest_conn_id))
            self._given: Sequence[Any] = ()
        elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
            self._manifest, self._given = None, given
        else:
            raise TaleCraftDownloadError(
                f"illustrations must be a batch's output, a list or a summary with manifest_path, not one "
                f"{type(given).__name__}: nothing was fetched."
            )
        self._count = 0
        self._twice: set[str] = set()
        self._check()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Illustration]:
        for index, entry in enumerate(self._entries()):
            yield self._illustration(index, entry)

    def _entries(self) -> Iterable[Any]:
        if self._manifest is None:
            return self._given
        return self._manifest.entries()

    def _check(self) -> None:
        """Count, and find out which file names would be given twice."""
        seen: set[str] = set()
        try:
            self._count = sum(1 for _ in self._entries())  # first: it says how wide a number is
            for index, entry in enumerate(self._entries()):
                name = self._illustration(index, entry).file.casefold()
                if name in seen:
                    self._twice.add(name)
                seen.add(name)
        except (OSError, ValueError) as error:
            place = f" {self._manifest.path}" if self._manifest else ""
            raise TaleCraftDownloadError(
                f"The manifest{place} cannot be read ({type(error).__name__}): nothing was fetched."
            ) from error
        if not self._count:
            raise TaleCraftDownloadError("illustrations is empty: there is nothing to store.")

    def _illustration(self, index: int, entry: Any) -> Illustration:
        if not isinstance(entry, Mapping):
            raise _wrong(index, f"must be a mapping, not {type(entry).__name__}")
        url, error = entry.get("image_url"), entry.get("error")
        if not isinstance(url, str) and not isinstance(error, str):
            raise _wrong(index, "has neither image_url nor error")
        number = entry.get("index", index)
        if type(number) is not int or number < 0:
            number = index
        key = str(entry.get("key", number))
        # Of mapped tasks, a failed one leaves no gap in the list: there only the id stays the same.
        name = str(entry.get("id") or key) if not {"key", "index"} & set(entry) else key
        facts = {name: entry[name] for name in FACTS if isinstance(entry.get(name), str)}
        return Illustration(
            index, key, self._file(index, number, name), url if isinstance(url, str) else "", str(error or ""), facts
        )

    def _file(self, index: int, number: int, name: str) -> str:
        """Return a name of plain characters: *name*, or the number so padded that names sort as the list does.

        One that would be given twice has its place in the list behind a dot, which no other name has: whatever the
        keys, there are never two alike, and on no file system that does not know large letters from small ones.
        """
        width = max(4, len(str(self._count)))
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:80]
        if not stem or name == str(number):
            stem = f"{number:0{width}}"
        return f"{stem}.{index:0{width}}" if stem.casefold() in self._twice else stem


def _wrong(index: int, what: str) -> TaleCraftDownloadError:
    return TaleCraftDownloadError(f"illustrations[{index}] {what}: nothing was fetched.")

"""What a batch has finished: kept on disk while it runs, read back in the order of its prompts."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.pictures.place import ObjectLocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from airflow.providers.common.compat.sdk import ObjectStoragePath
    from typing_extensions import Self


#: What JSON Lines are called.
CONTENT_TYPE = "application/jsonl"


class Output:
    """The entries of a batch, in a temporary file: a few bytes of memory each, however long their prompts are.

    Used by ``with``; several threads may add.

    :param count: how many entries there can be.
    """

    def __init__(self, count: int) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by __exit__
        self._offsets = array("q", [-1]) * count
        self._lengths = array("q", [0]) * count
        self._end = 0
        self._lock = threading.Lock()

    def add(self, entry: Mapping[str, Any]) -> None:
        """Keep *entry*, which has its place under "index"."""
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        index = entry["index"]
        with self._lock:
            if os.pwrite(self._file.fileno(), line, self._end) != len(line):
                raise OSError("The temporary folder is full: a finished illustration could not be noted.")
            self._lengths[index] = len(line)
            self._offsets[index] = self._end  # last: a reader goes by it
            self._end += len(line)

    def lines(self) -> Iterator[bytes]:
        """Return what is there so far as JSON Lines, in the order of the prompts."""
        for offset, length in zip(self._offsets, self._lengths, strict=True):
            if offset >= 0:
                yield os.pread(self._file.fileno(), length, offset)

    def entries(self) -> list[dict[str, Any]]:
        """Return what is there so far, in the order of the prompts."""
        return [json.loads(line) for line in self.lines()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class Manifest:
    """The output as JSON Lines in an object store, whole at all times.

    :param path: where.
    """

    def __init__(self, path: ObjectStoragePath) -> None:
        self.path = path
        self.place = ObjectLocation(path)

    def check(self) -> None:
        """Find out whether it can be written, before anything is paid or fetched; an earlier one stays for now."""
        if self.place.size() is None:
            self.place.put(b"", content_type=CONTENT_TYPE)

    def write(self, output: Output) -> None:
        """Put what *output* has so far in place of what stands there."""
        with tempfile.NamedTemporaryFile() as whole:
            whole.writelines(output.lines())
            whole.flush()
            self.place.put(Path(whole.name), content_type=CONTENT_TYPE)

    def entries(self) -> Iterator[Any]:
        """Return what stands there, one entry at a time.

        :raises ValueError: if a line is not JSON.
        """
        with self.path.fs.open(self.path.path, "rb") as file:
            yield from map(json.loads, file)

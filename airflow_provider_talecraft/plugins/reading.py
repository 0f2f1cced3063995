"""Reading what lies in a store: regular files only, never through a symbolic link, and never more than is allowed."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.pictures.format import inspect
from airflow_provider_talecraft.pictures.place import LOCAL, READ_BYTES, ObjectLocation
from airflow_provider_talecraft.plugins.confinement import NotShownError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from airflow.providers.common.compat.sdk import ObjectStoragePath

#: A named pipe would keep the reader waiting, if it were opened otherwise.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def opened(path: ObjectStoragePath, *, limit: int) -> Iterator[tuple[Any, int]]:
    """Open what lies at *path*; it and its size in bytes, which is at most *limit*.

    :raises NotShownError: if nothing lies there, or something larger, or no regular file.
    """
    if path.protocol in LOCAL:
        try:
            descriptor = os.open(path.path, _FLAGS)
        except OSError as error:
            raise NotShownError(f"the file cannot be opened ({type(error).__name__} {error.errno})") from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
                raise NotShownError("it is no regular file, or too large")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                yield file, status.st_size
        finally:
            os.close(descriptor)
        return
    size = ObjectLocation(path).size()
    if size is None or size > limit:
        raise NotShownError("there is no such object, or it is too large")
    with path.fs.open(path.path, "rb", block_size=READ_BYTES) as file:
        yield file, size


def read(path: ObjectStoragePath, *, limit: int) -> bytes | None:
    """Return what lies at *path*, None if that is nothing, or more than *limit* bytes."""
    try:
        with opened(path, limit=limit) as (file, _):
            content: bytes = file.read(limit + 1)
    except (NotShownError, FileNotFoundError):
        return None
    return content if len(content) <= limit else None


def checked_picture(path: ObjectStoragePath, *, size: int, sha256: str) -> tuple[BinaryIO, str]:
    """Return the picture in a temporary file, which is the caller's to close, and its content type by its bytes.

    What is sent is that copy: whatever becomes of the object meanwhile, these bytes were checked.

    :param size: bytes that it must have.
    :param sha256: checksum that it must have.
    :raises NotShownError: if it is another one.
    :raises TaleCraftDownloadError: if it is no whole picture.
    """
    copy: Any = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it is sent
    try:
        _copy(path, copy, size=size, sha256=sha256)
        content_type = inspect(copy, name="this place").content_type
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy, content_type


def _copy(path: ObjectStoragePath, copy: BinaryIO, *, size: int, sha256: str) -> None:
    digest, left = hashlib.sha256(), size
    with opened(path, limit=size) as (file, there):
        while there == size and left >= 0 and (chunk := file.read(READ_BYTES)):
            digest.update(chunk)
            copy.write(chunk)
            left -= len(chunk)
    if left != 0 or digest.hexdigest() != sha256:
        raise NotShownError("the bytes are not those that were stored")

"""What a file is: a whole picture of a known format and a sane size, or not. Opens no socket, decodes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagesize

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures.orientation import QUARTER_TURNS, orientation

if TYPE_CHECKING:
    from typing import IO

#: Pixels. What Pillow opens without a warning of a decompression bomb: 0.25 GiB at 3 bytes each.
MAX_PIXELS = 1024 * 1024 * 1024 // 4 // 3

#: What a file is by its first bytes: (offset, bytes) that must all be there, content type, extension.
FORMATS: tuple[tuple[tuple[tuple[int, bytes], ...], str, str], ...] = (
    (((0, b"\xff\xd8\xff"),), "image/jpeg", ".jpeg"),
    (((0, b"\x89PNG\r\n\x1a\n"), (12, b"IHDR")), "image/png", ".png"),
    (((0, b"RIFF"), (8, b"WEBP")), "image/webp", ".webp"),
)
EXTENSIONS = tuple(extension for _, _, extension in FORMATS)

_HEAD_BYTES = 16
#: Bytes of padding that are skipped, with the end before them.
_TAIL_BYTES = 64 * 1024
#: The last chunk of every PNG: no data, its name, its checksum.
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"
#: What encoders are known to leave behind the end of a picture.
_PADDING = b"\x00\r\n \xff"


@dataclass(frozen=True)
class Format:
    """What a picture is by its bytes, whatever its URL or a header says.

    :param content_type: "image/jpeg", "image/png" or "image/webp".
    :param extension: the one that belongs to the content type, with its dot.
    :param width: pixels, upright.
    :param height: pixels, upright.
    """

    content_type: str
    extension: str
    width: int
    height: int


def inspect(file: IO[bytes], *, name: str) -> Format:
    """Return what *file* is: from its first bytes, its header and its last bytes.

    That it ends as its format ends shows that nothing is missing, and that no other file is hung behind it.

    :param file: a seekable binary file.
    :param name: what an error calls it.
    :raises TaleCraftDownloadError: if it is not a whole PNG, JPEG or WebP, or has more than ``MAX_PIXELS``.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    size = file.seek(0, os.SEEK_END)
    content_type, extension = _type_of(head)
    if not content_type:
        raise TaleCraftDownloadError(f"What is at {name} is not a PNG, JPEG or WebP picture ({size} bytes).")
    if not _ends_as_it_should(file, head, size, content_type):
        raise TaleCraftDownloadError(
            f"The {content_type} at {name} does not end as one ends ({size} bytes): it was cut short, "
            "or is followed by something that is no picture."
        )
    width, height = imagesize.get(file)
    if content_type != "image/jpeg" and orientation(file, content_type) in QUARTER_TURNS:  # of a JPEG it is applied
        width, height = height, width
    if width < 1 or height < 1:
        raise TaleCraftDownloadError(f"The {content_type} at {name} has no readable size in pixels.")
    if width * height > MAX_PIXELS:
        raise TaleCraftDownloadError(
            f"The {content_type} at {name} claims {width} x {height} pixels; at most {MAX_PIXELS} are taken."
        )
    return Format(content_type, extension, width, height)


def _type_of(head: bytes) -> tuple[str, str]:
    """Return the content type and the extension of what begins with *head*, two empty texts if it is no picture."""
    for signature, content_type, extension in FORMATS:
        if all(head[offset : offset + len(magic)] == magic for offset, magic in signature):
            return content_type, extension
    return "", ""


def _ends_as_it_should(file: IO[bytes], head: bytes, size: int, content_type: str) -> bool:
    if content_type == "image/webp":
        length = int.from_bytes(head[4:8], "little") + 8
        if not length <= size <= length + _TAIL_BYTES:
            return False
        file.seek(length)
        return not file.read().strip(_PADDING)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read()
    if content_type == "image/png":
        # The checksum may end in a byte that looks like padding, the whole end does not.
        return tail.rstrip(_PADDING).endswith(_PNG_END)
    return tail.rstrip(_PADDING).endswith(_JPEG_END)

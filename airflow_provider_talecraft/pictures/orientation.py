"""How a PNG or a WebP is to be turned: the Exif orientation, which imagesize reads of a JPEG alone. Decodes nothing."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

#: Orientations that swap width and height.
QUARTER_TURNS = frozenset({5, 6, 7, 8})

#: Chunks that are looked at; a picture has a few, a PNG of many small ones some thousands.
MOST_CHUNKS = 10_000
#: Bytes of Exif that are read; orientation is one of the first tags.
EXIF_BYTES = 64 * 1024
_ORIENTATION_TAG = 0x0112


def orientation(file: IO[bytes], content_type: str) -> int:
    """Return the Exif orientation of a PNG or a WebP, 1 to 8; 1 if it has none.

    :param file: a seekable binary file.
    """
    if content_type == "image/png":
        start, layout, name, around = 8, ">I4s", b"eXIf", 12  # length, name, data, checksum
    else:
        start, layout, name, around = 12, "<4sI", b"EXIF", 8
    for _ in range(MOST_CHUNKS):
        file.seek(start)
        head = file.read(8)
        if len(head) < len(name) + 4:
            break
        found, length = sorted(struct.unpack(layout, head), key=lambda part: isinstance(part, int))
        if found == name:
            return _read(file.read(min(length, EXIF_BYTES)))
        start += around + length + (length % 2 if content_type == "image/webp" else 0)
    return 1


def _read(exif: bytes) -> int:
    exif = exif.removeprefix(b"Exif\x00\x00")  # some write a JPEG's mark before it
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    try:
        if order:
            (ifd,) = struct.unpack_from(f"{order}I", exif, 4)
            (count,) = struct.unpack_from(f"{order}H", exif, ifd)
            for number in range(count):
                tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, ifd + 2 + 12 * number)
                if tag == _ORIENTATION_TAG:
                    return value if value in range(1, 9) else 1
    except struct.error:  # damaged: as good as none
        pass
    return 1

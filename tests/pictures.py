"""Small real pictures, and things that pretend to be some."""

from __future__ import annotations

import io
import struct
import zlib


def picture(kind="JPEG", size=(40, 30), **options):
    """Return a picture as Pillow writes it: "JPEG", "PNG" or "WEBP"."""
    from PIL import Image

    content = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(content, kind, **options)
    return content.getvalue()


def png_that_claims(width, height):
    """Return a PNG that is whole but for the pixels its header speaks of."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def large_jpeg(size, *, filling=bytes(65533)):
    """Return a file of *size* bytes that is a small JPEG with long comments in it, each of them *filling*."""
    whole = picture()
    comment = b"\xff\xfe" + struct.pack(">H", 65535) + filling
    count, rest = divmod(size - len(whole), len(comment))
    rest = max(4, rest)
    return whole[:2] + comment * count + b"\xff\xfe" + struct.pack(">H", rest - 2) + filling[: rest - 4] + whole[2:]

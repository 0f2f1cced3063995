"""How a PNG or a WebP is to be turned, from its bytes."""

from __future__ import annotations

import io
import struct

import pytest

from airflow_provider_talecraft.pictures.orientation import EXIF_BYTES, MOST_CHUNKS, orientation


def exif(value, *, order="<", tag=0x0112, others=2, offset=8, mark=b""):
    """Return Exif with so many other tags before the one that is looked for."""
    tags = [(0x0100 + number, 4, 1, 7, 0) for number in range(others)] + [(tag, 3, 1, value, 0)]
    directory = struct.pack(f"{order}H", len(tags)) + b"".join(struct.pack(f"{order}HHIHH", *one) for one in tags)
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, offset)
    return mark + head.ljust(offset, b"\0") + directory


def png(*chunks):
    made = (struct.pack(">I4s", len(data), name) + data + b"csum" for name, data in chunks)
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(made))


def webp(*chunks):
    made = (struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return io.BytesIO(b"RIFF\0\0\0\0WEBP" + b"".join(made))


def turn_of(content):
    return orientation(png((b"IHDR", bytes(13)), (b"eXIf", content)), "image/png")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(1, 9))
def test_it_is_read_in_either_byte_order(order, value):
    assert turn_of(exif(value, order=order)) == value
    assert orientation(webp((b"VP8 ", b"1234"), (b"EXIF", exif(value, order=order))), "image/webp") == value


@pytest.mark.parametrize("options", [{"others": 0}, {"others": 9}, {"offset": 20}, {"mark": b"Exif\0\0"}])
def test_it_is_found_wherever_it_stands(options):
    assert turn_of(exif(6, **options)) == 6


@pytest.mark.parametrize("content", [exif(0), exif(9), exif(65535), exif(6, tag=0x0113)])
def test_what_is_no_orientation_turns_nothing(content):
    assert turn_of(content) == 1


@pytest.mark.parametrize("content", [b"", b"II", b"XX" + exif(6)[2:], exif(6)[:7], exif(6)[:9], exif(6)[:-5]])
def test_damaged_exif_turns_nothing(content):
    assert turn_of(content) == 1


def test_what_stands_behind_the_last_tag_is_none():
    assert turn_of(exif(1, tag=0x0113, others=0) + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)) == 1


def test_a_chunk_that_claims_to_be_longer_than_any_file_is_the_last_one():
    damaged = webp((b"VP8 ", b"1234")).getvalue().replace(b"\x04\0\0\0", b"\0\xff\xff\xff")
    assert orientation(io.BytesIO(damaged), "image/webp") == 1


def test_chunks_of_odd_length_are_padded_in_a_webp_and_not_in_a_png():
    assert orientation(webp((b"VP8 ", b"123"), (b"ICCP", b"12345"), (b"EXIF", exif(8))), "image/webp") == 8
    assert orientation(png((b"IHDR", b"123"), (b"tEXt", b"12345"), (b"eXIf", exif(8))), "image/png") == 8


def test_each_format_has_its_own_name_for_it():
    assert orientation(png((b"EXIF", exif(6))), "image/png") == 1
    assert orientation(webp((b"eXIf", exif(6))), "image/webp") == 1


def test_a_picture_without_any_is_not_turned():
    assert orientation(png((b"IHDR", bytes(13))), "image/png") == 1
    assert orientation(webp(), "image/webp") == 1
    assert orientation(io.BytesIO(png((b"IHDR", b"")).getvalue() + b"\0\0\0"), "image/png") == 1


def test_so_many_chunks_are_looked_at_and_no_more():
    last = (b"eXIf", exif(6))
    assert orientation(png(*[(b"tEXt", b"")] * (MOST_CHUNKS - 1), last), "image/png") == 6
    assert orientation(png(*[(b"tEXt", b"")] * MOST_CHUNKS, last), "image/png") == 1


def test_of_long_exif_only_the_beginning_is_read():
    assert turn_of(exif(6, offset=EXIF_BYTES - 38)) == 6
    assert turn_of(exif(6, offset=EXIF_BYTES)) == 1

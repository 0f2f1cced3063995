"""A file is a whole PNG, JPEG or WebP of a sane size, by its bytes, or an error says what it is not."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import large_jpeg, picture, png_that_claims

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures.format import MAX_PIXELS, inspect

KINDS = {
    "JPEG": ("image/jpeg", ".jpeg"),
    "PNG": ("image/png", ".png"),
    "WEBP": ("image/webp", ".webp"),
}


def inspected(content):
    return inspect(io.BytesIO(content), name="there")


@pytest.mark.parametrize("kind", KINDS)
def test_the_type_and_the_size_are_read_from_the_bytes(kind):
    found = inspected(picture(kind, (40, 30)))
    assert (found.content_type, found.extension) == KINDS[kind]
    assert (found.width, found.height) == (40, 30)


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"}])
def test_every_way_to_write_a_webp_is_read(options):
    assert inspected(picture("WEBP", (40, 30), **options)).width == 40


def test_a_progressive_jpeg_is_read():
    assert inspected(picture("JPEG", (40, 30), progressive=True)).height == 30


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"<html>\xff\xd8\xff</html>",
        b"GIF89a" + b"g" * 50,
        b"RIFF\x00\x00\x00\x00WAVE",
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n" + b"p" * 50,
        b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    ],
)
def test_anything_else_is_not_a_picture(content):
    with pytest.raises(TaleCraftDownloadError, match=r"at there is not a PNG, JPEG or WebP picture"):
        inspected(content)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 2, 100])
def test_a_picture_that_was_cut_short_is_seen_without_a_content_length(kind, missing):
    with pytest.raises(TaleCraftDownloadError, match="does not end as one ends"):
        inspected(picture(kind)[:-missing])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [b"PK\x03\x04 an archive", b"<script>alert(1)</script>", b"#!/bin/sh\n"])
def test_a_picture_with_another_file_hung_behind_it_is_none(kind, more):
    with pytest.raises(TaleCraftDownloadError, match="does not end as one ends"):
        inspected(picture(kind) + more)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", [b"\x00\x00\r\n", bytes(2048), b"\xff" * 300, b"\xff\x00" * 9, bytes(60_000)])
def test_padding_behind_the_end_is_no_other_file(kind, padding):
    assert inspected(picture(kind) + padding).width == 40
    with pytest.raises(TaleCraftDownloadError, match="does not end as one ends"):
        inspected(picture(kind) + padding + b"PK\x03\x04")


def test_as_much_padding_as_is_skipped_is_no_other_file():
    assert inspected(picture("WEBP") + bytes(64 * 1024)).width == 40


def exif(turn):
    from PIL import Image

    tags = Image.Exif()
    tags[0x0112] = turn
    return tags.tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turn", range(1, 9))
def test_width_and_height_are_those_of_the_picture_as_it_is_seen(kind, turn):
    found = inspected(picture(kind, (40, 30), exif=exif(turn)))
    assert (found.width, found.height) == ((30, 40) if turn >= 5 else (40, 30))


def test_what_looks_like_the_orientation_of_a_webp_turns_no_jpeg():
    whole, turned = picture("JPEG", (40, 30)), exif(6)
    comment = b"123456EXIF" + len(turned).to_bytes(4, "little") + turned
    found = inspected(whole[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + whole[2:])
    assert (found.width, found.height) == (40, 30)


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (MAX_PIXELS + 1, 1), (1, MAX_PIXELS + 1)])
def test_a_header_that_claims_too_many_pixels_is_refused_without_a_decode(size):
    tracemalloc.start()
    with pytest.raises(TaleCraftDownloadError, match=f"claims {size[0]} x {size[1]} pixels; at most {MAX_PIXELS}"):
        inspected(png_that_claims(*size))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_as_many_pixels_as_pillow_opens_without_a_warning_are_taken():
    from PIL import Image

    assert MAX_PIXELS == Image.MAX_IMAGE_PIXELS
    assert inspected(png_that_claims(MAX_PIXELS, 1)).width == MAX_PIXELS


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (0, 0)])
def test_a_picture_without_pixels_is_none(size):
    with pytest.raises(TaleCraftDownloadError, match="no readable size"):
        inspected(png_that_claims(*size))


def test_a_jpeg_without_a_frame_is_none():
    with pytest.raises(TaleCraftDownloadError, match="no readable size"):
        inspected(b"\xff\xd8\xff\xfe\x00\x04ab\xff\xd9")


def test_a_large_file_is_not_read_into_memory(tmp_path):
    (tmp_path / "large").write_bytes(large_jpeg(20_000_000))
    with (tmp_path / "large").open("rb") as content:
        tracemalloc.start()
        inspect(content, name="there")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        tracemalloc.stop()


@given(st.sampled_from(list(KINDS)), st.integers(0, 2000), st.binary(max_size=40))
def test_damage_is_an_error_of_ours_or_a_picture_never_a_crash(kind, position, damage):
    content = bytearray(picture(kind, exif=exif(6)))
    content[position : position + len(damage)] = damage
    try:
        found = inspected(bytes(content))
    except TaleCraftDownloadError:
        return
    assert 0 < found.width * found.height <= MAX_PIXELS

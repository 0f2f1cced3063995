"""Reading: regular files, no links, no more than was said, and only pictures."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from pictures import picture

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures.place import checked_path
from airflow_provider_talecraft.plugins.confinement import NotShownError
from airflow_provider_talecraft.plugins.reading import checked_picture, opened, read

PNG = picture("PNG")


def stored(path):
    return checked_path(f"file://{path}", None)


def checked(path, content=PNG):
    file, content_type = checked_picture(stored(path), size=len(content), sha256=hashlib.sha256(content).hexdigest())
    with file:
        return file.read(), content_type


def test_a_picture_is_what_its_bytes_are_whatever_its_name_says(tmp_path):
    (tmp_path / "cover.jpeg").write_bytes(PNG)
    assert checked(tmp_path / "cover.jpeg") == (PNG, "image/png")


def test_other_bytes_of_the_same_size_are_not_the_picture(tmp_path):
    (tmp_path / "cover.png").write_bytes(PNG[:-1] + bytes([PNG[-1] ^ 1]))
    with pytest.raises(NotShownError):
        checked(tmp_path / "cover.png")


@pytest.mark.parametrize("content", [PNG + b"\0", PNG[:-1], b""])
def test_more_or_fewer_bytes_are_not_the_picture(tmp_path, content):
    (tmp_path / "cover.png").write_bytes(content)
    with pytest.raises(NotShownError):
        checked(tmp_path / "cover.png")


@pytest.mark.parametrize(
    "content", [b"<!doctype html><script>alert(1)</script>", b"root:x:0:0:", PNG + b"<script>", b"%PDF"]
)
def test_what_is_no_picture_is_not_returned_even_if_its_checksum_is_known(tmp_path, content):
    (tmp_path / "cover.png").write_bytes(content)
    with pytest.raises(TaleCraftDownloadError):
        checked(tmp_path / "cover.png", content)


def test_a_symbolic_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere.png").write_bytes(PNG)
    (tmp_path / "cover.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(NotShownError):
        checked(tmp_path / "cover.png")
    assert read(stored(tmp_path / "cover.png"), limit=10**6) is None


def test_a_pipe_a_folder_and_nothing_at_all_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("pipe.png", "folder.png", "nothing.png", "nothing/at/all.png"):
        with pytest.raises(NotShownError):
            checked(tmp_path / name)
        with pytest.raises(NotShownError), opened(stored(tmp_path / name), limit=10**6):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before, "none is left open"


def test_what_is_larger_than_the_limit_is_not_opened(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1001)
    with pytest.raises(NotShownError), opened(stored(tmp_path / "large"), limit=1000):
        pass
    assert read(stored(tmp_path / "large"), limit=1000) is None
    assert read(stored(tmp_path / "large"), limit=1001) == bytes(1001)


def test_a_large_picture_is_never_held_in_memory(tmp_path):
    import tracemalloc

    from pictures import large_jpeg

    content = large_jpeg(40_000_000)
    (tmp_path / "cover.jpeg").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    tracemalloc.start()
    file, _ = checked_picture(stored(tmp_path / "cover.jpeg"), size=len(content), sha256=sha256)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    file.close()
    assert peak < 8_000_000

"""A picture lands whole at its destination, or nothing does."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import requests

from airflow_provider_talecraft.api.client import TaleCraftClient
from airflow_provider_talecraft.api.models import IllustrationRequest
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator
from airflow_provider_talecraft.transfers.landing import land


@pytest.fixture
def image_url(sandbox):
    client = TaleCraftClient(sandbox.api_key, base_url=sandbox.url, connect_timeout=5, read_timeout=10)
    return client.generate(IllustrationRequest("A fox in the snow")).image_url


def store(image_url, dst, **kwargs):
    operator = IllustrationToObjectStorageOperator(task_id="store", image_url=image_url, dst=dst, **kwargs)
    return operator.execute({})


def test_a_picture_is_stored_as_it_was_served(image_url, tmp_path):
    result = store(image_url, f"file://{tmp_path}/deep/folder/cover.jpeg")
    content = (tmp_path / "deep/folder/cover.jpeg").read_bytes()
    assert content == requests.get(image_url, timeout=10).content
    assert result == {
        "path": f"file://{tmp_path}/deep/folder/cover.jpeg",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "content_type": "image/jpeg",
    }


def test_in_a_folder_the_file_is_named_after_the_url_and_the_real_type(image_url, tmp_path):
    result = store(image_url, f"file://{tmp_path}/book/")
    name = Path(image_url).stem + ".jpeg"
    assert result["path"] == f"file://{tmp_path}/book/{name}"
    assert [path.name for path in (tmp_path / "book").iterdir()] == [name]


def test_a_store_of_objects_takes_it_too(tmp_path):
    from upath import UPath

    (tmp_path / "picture").write_bytes(b"picture")
    dst = UPath("memory://bucket/book/cover.jpeg")
    land(tmp_path / "picture", dst)
    assert dst.read_bytes() == b"picture"


def test_a_picture_replaces_an_older_one_as_a_whole(image_url, tmp_path):
    (tmp_path / "cover.jpeg").write_bytes(b"older")
    assert store(image_url, f"file://{tmp_path}/cover.jpeg")["size"] == (tmp_path / "cover.jpeg").stat().st_size


@pytest.mark.parametrize("max_bytes", [1, 1000])
def test_after_an_error_the_destination_is_as_it_was(image_url, tmp_path, max_bytes):
    (tmp_path / "cover.jpeg").write_bytes(b"older")
    with pytest.raises(TaleCraftDownloadError, match="larger than max_bytes"):
        store(image_url, f"file://{tmp_path}/cover.jpeg", max_bytes=max_bytes)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("cover.jpeg", b"older")]


def test_what_is_no_picture_leaves_nothing(sandbox, tmp_path):
    with pytest.raises(TaleCraftDownloadError, match="not a PNG, JPEG or WebP"):
        store(f"{sandbox.url}/", f"file://{tmp_path}/book/")
    assert not list(tmp_path.iterdir())


def test_a_destination_that_cannot_be_written_leaves_nothing_beside_it(image_url, tmp_path):
    (tmp_path / "cover.jpeg").mkdir()
    with pytest.raises(OSError, match="cover"):
        store(image_url, f"file://{tmp_path}/cover.jpeg")
    assert [path.name for path in tmp_path.iterdir()] == ["cover.jpeg"]


@pytest.mark.parametrize("value", [None, 7, ["https://host/x.png"], {"image_url": "https://host/x.png"}])
def test_an_image_url_that_is_no_string_names_its_type(value, tmp_path):
    with pytest.raises(TaleCraftDownloadError, match=type(value).__name__):
        store(value, f"file://{tmp_path}/")


@pytest.mark.parametrize("max_bytes", [0, -1])
def test_a_limit_below_one_byte_is_refused_when_the_dag_is_parsed(max_bytes):
    with pytest.raises(ValueError, match="max_bytes must be at least 1"):
        IllustrationToObjectStorageOperator(task_id="s", image_url="u", dst="d", max_bytes=max_bytes)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/uploads/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("/a%20b%00c.png", "a-b-c"),
        ("/", "illustration"),
        ("/....", "illustration"),
        ("/%E7%8B%90.png", "illustration"),
        ("/" + "x" * 500, "x" * 100),
    ],
)
def test_a_file_is_named_in_plain_characters_whatever_the_url(path, name):
    from airflow_provider_talecraft.transfers.illustration_to_object_storage import _stem

    assert _stem(f"https://host{path}") == name

"""What a picture is called where it goes, and what goes with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from loopback import gallery
from pictures import picture

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures import sidecar
from airflow_provider_talecraft.pictures.delivery import (
    LONGEST_NAME,
    METADATA_LIMIT,
    Delivery,
    Picture,
    Stored,
    _object_metadata,
    _stem,
    file_name_of,
)
from airflow_provider_talecraft.pictures.format import Format
from airflow_provider_talecraft.pictures.place import ObjectLocation

JPEG = Format("image/jpeg", ".jpeg", 40, 30)


def delivery(dst, **options):
    return Delivery(dst, **{"dst_conn_id": None, "if_exists": "skip_same", "max_bytes": 9, "trusted": (), **options})


@pytest.mark.parametrize("name", ["2026-01-02", "Page 1", "狐狸", "a.b", "a_b", "X. fox -X", "x" * LONGEST_NAME])
def test_a_name_that_every_store_takes_stays_as_it_is(name):
    assert file_name_of(name) == name


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("../x", "x-"), ("a/b", "a-b-"), ("a//?b", "a-b-"), (". fox -", "fox-"), ("..", ""), ("🦊", ""),
        ("X/b", "X-b-"), ("x" * (LONGEST_NAME + 1), "x" * LONGEST_NAME + "-"), ("狐" * 51, "狐" * 50 + "-"),
    ],
)  # fmt: skip
def test_a_name_that_has_to_be_changed_gets_a_digest(name, beginning):
    assert re.fullmatch(re.escape(beginning) + "[0-9a-f]{8}", file_name_of(name))
    assert file_name_of(name) != file_name_of(name + "!")


@pytest.mark.parametrize(
    ("name", "stem"), [("X-1_a", "X-1_a"), ("-a/ b-X!", "a-b-X"), ("", "Fox"), ("狐", "Fox"), ("x" * 101, "x" * 100)]
)
def test_a_picture_is_called_after_its_id_else_its_url_in_plain_characters(name, stem):
    assert _stem("https://cdn.test/a/Fox.jpeg", name) == stem
    assert _stem("https://cdn.test/", "") == "illustration"


def test_in_a_folder_the_name_counts_and_the_extension_is_the_pictures_and_a_file_is_called_as_it_is():
    made = SimpleNamespace(format=JPEG)
    folder, file = delivery("s3://b/books/", dst_conn_id="mine"), delivery("s3://b/books/cover.jpg", dst_conn_id="mine")
    path, name = folder.folder_and_name("a/b")
    assert (str(path).rstrip("/"), name[:4]) == ("s3://mine@b/books", "a-b-")
    path, name = file.folder_and_name("a/b")
    assert (str(path).rstrip("/"), name) == ("s3://mine@b/books", "cover.jpg")
    assert folder.possible_names("fox") == ["fox.jpeg", "fox.png", "fox.webp"]
    assert (file.possible_names("fox"), file.file_name("fox", made)) == (["fox"], "fox")
    assert folder.file_name("fox", made) == "fox.jpeg"
    assert [str(place) for place in folder._candidates("fox")] == [
        f"s3://mine@b/books/fox{extension}" for extension in (".jpeg", ".png", ".webp")
    ]
    assert [str(place) for place in file._candidates("fox")] == ["s3://mine@b/books/cover.jpg"]


def test_what_an_object_carries_is_its_checksum_and_what_is_known_in_ascii():
    known = {
        "Prompt": "A fox, 狐?",
        "none": None,
        "sha256": "another's",
        "SHA256": "another's",
        "width": 40,
        "blank": " x ",
    }
    assert _object_metadata("00ff", known) == {
        "sha256": "00ff", "prompt": "A fox, %E7%8B%90?", "width": "40", "blank": "x",
    }  # fmt: skip


def test_of_what_is_known_an_object_carries_what_fits():
    longest = "x" * (METADATA_LIMIT - 4)
    assert _object_metadata("0", {"long": longest}) == {"sha256": "0", "long": longest}
    assert _object_metadata("0", {"long": longest + "x", "id": "1"}) == {"sha256": "0", "id": "1"}
    assert _object_metadata("0", {"long": longest, "id": "1"}) == {"sha256": "0", "long": longest}
    assert _object_metadata("0", {"a": "x" * 1000, "b": "x" * 1000, "c": "x" * 800}).keys() == {"sha256", "a", "c"}


def test_a_picture_is_put_with_its_type_and_metadata_over_what_stands_unless_told_otherwise():
    told = []
    place = SimpleNamespace(put=lambda source, **options: told.append((source, options)))
    made = Picture(Path("/x"), 3, "00ff", JPEG)
    made.put(place, {"id": "1"})
    made.put(place, {}, exclusive=True)
    kept = {"content_type": "image/jpeg", "metadata": {"sha256": "00ff", "id": "1"}, "exclusive": False}
    assert told == [
        (Path("/x"), kept),
        (Path("/x"), {**kept, "metadata": {"sha256": "00ff"}, "exclusive": True}),
    ]
    assert made.facts() == {
        "sha256": "00ff", "bytes": 3, "content_type": "image/jpeg", "width": 40, "height": 30,
    }  # fmt: skip


def test_what_stands_is_told_by_its_path_its_uri_and_the_facts(tmp_path):
    place = ObjectLocation(ObjectStoragePath(f"file://{tmp_path}/fox.jpeg"))
    stored = Stored.of(place, {**Picture(Path("/x"), 3, "00ff", JPEG).facts(), "prompt": "A fox"})
    assert (stored.path, stored.uri) == (f"file://{tmp_path}/fox.jpeg", f"file://{tmp_path}/fox.jpeg")
    assert stored.facts() == {
        "path": stored.path, "size": 3, "sha256": "00ff", "content_type": "image/jpeg", "width": 40, "height": 30,
    }  # fmt: skip


def test_what_is_no_picture_is_named_by_its_url_without_the_query(tmp_path):
    with gallery(b"no picture") as (url, _):
        to = delivery(f"file://{tmp_path}/", trusted=("127.0.0.1",), max_bytes=99)
        with pytest.raises(TaleCraftDownloadError, match=f"What is at {re.escape(url)} is not a"):
            with to.fetched(f"{url}?sig=s3cret"):
                pytest.fail("it is a picture")


def test_a_picture_on_its_way_is_a_temporary_file_of_its_own_and_is_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with gallery(content := picture()) as (url, _):
        to = delivery(f"file://{tmp_path}/", trusted=("127.0.0.1",), max_bytes=len(content))
        with to.fetched(url) as fetched:
            assert fetched.local.read_bytes() == content
            assert fetched.local.name.startswith("talecraft-")
            assert fetched.local.stat().st_mode & 0o077 == 0, "nobody else reads what is not checked yet"
            assert list(tmp_path.iterdir()) == []
    assert not fetched.local.exists()


@pytest.mark.parametrize(
    ("dst", "said"),
    [
        ("cover.jpg", False),
        ("cover.JPG", False),
        ("cover.jpeg", False),
        ("cover", False),
        ("cover.png", True),
        ("", False),
    ],
)
def test_an_extension_of_another_type_is_told_and_left(tmp_path, caplog, dst, said):
    place = delivery(f"file://{tmp_path}/{dst}")._place("fox", SimpleNamespace(format=JPEG))
    assert str(place) == f"file://{tmp_path}/{dst or 'fox.jpeg'}"
    assert ("is image/jpeg by its bytes" in caplog.text) is said


def test_a_file_has_its_connection_too():
    place = delivery("s3://b/cover.jpg", dst_conn_id="mine")._place("fox", SimpleNamespace(format=JPEG))
    assert str(place) == "s3://mine@b/cover.jpg"


# The sidecar


@pytest.fixture
def place(tmp_path):
    (tmp_path / "fox.jpeg").write_bytes(b"fox")
    return ObjectLocation(ObjectStoragePath(f"file://{tmp_path}/fox.jpeg"))


def written(place, url="https://host/x?sig=1", **facts):
    known = {"bytes": 3, "sha256": place.sha256(), "content_type": "image/jpeg", "width": 1, "height": 1, **facts}
    sidecar.write(place, known, url=url, origin={"dag_id": "d"})
    return known


def test_a_sidecar_is_json_that_a_person_can_read_and_has_no_query(place, tmp_path):
    written(place, prompt="狐")
    text = (tmp_path / "fox.jpeg.json").read_text()
    assert '\n "prompt": "狐",\n' in text
    assert text.endswith("\n}\n")
    assert "sig" not in text
    assert {"source": "https://host/x", "dag_id": "d"}.items() <= json.loads(text).items()


@pytest.mark.parametrize("name", ["bytes", "sha256", "content_type", "width", "height", "source"])
def test_a_sidecar_is_whole_or_none(place, tmp_path, name):
    written(place)
    assert sidecar.of(place)["width"] == 1
    path = tmp_path / "fox.jpeg.json"
    facts = json.loads(path.read_text())
    for changed in ({**facts, name: None}, {key: value for key, value in facts.items() if key != name}):
        path.write_text(json.dumps(changed))
        assert sidecar.of(place) is None


@pytest.mark.parametrize("content", ["", "[", "[]", "7", "[" * 100_000])
def test_what_is_no_sidecar_is_ignored(place, tmp_path, content):
    (tmp_path / "fox.jpeg.json").write_text(content)
    assert sidecar.of(place) is None


@pytest.mark.parametrize("changes", [{"bytes": 4}, {"sha256": "0"}])
def test_a_sidecar_of_other_bytes_is_not_the_pictures(place, changes):
    written(place, **changes)
    assert sidecar.of(place) is None


@pytest.mark.parametrize(
    ("url", "picture_id", "same"),
    [
        ("https://host/x?sig=1", None, True), ("https://host/x?sig=2", None, False), ("https://host/x", None, False),
        ("https://host/y?sig=1", "1", False), ("https://host/x?sig=2", "1", True), ("https://host/x?sig=2", "2", False),
        ("https://host/x?sig=2", "", False),
    ],
)  # fmt: skip
def test_it_is_the_same_picture_by_its_whole_url_or_by_its_id(place, url, picture_id, same):
    written(place, id="1")
    assert bool(sidecar.of_same(place, url, picture_id)) is same


def test_without_any_id_two_queries_are_two_pictures(place):
    written(place, id="")
    assert sidecar.of_same(place, "https://host/x?sig=2", "") is None
    assert sidecar.of_same(place, "https://host/x?sig=1", "") is not None

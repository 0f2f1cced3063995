"""Which places a task instance can have stored at, by its rendered fields; whatever its XCom says."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_talecraft.plugins.confinement import NAME, NotShownError, manifest_place, picture_place

#: As fsspec writes what it opens through another file system.
CHAIN = "file:///books/fox/cover.jpeg::file:///cover.jpeg"


def place(path, dst, conn_id=None):
    return str(picture_place(path, {"dst": dst, "dst_conn_id": conn_id}))


@pytest.mark.parametrize(
    ("path", "dst"),
    [
        ("file:///books/fox/cover.jpeg", "file:///books/fox/"),
        ("file:///books/fox/封面 1.png", " file:///books/fox/\n"),
        ("file:///books/fox/page..2.webp", "file:///books/fox/"),
        ("file:///books/fox.jpeg", "file:///books/fox.jpeg"),
        ("file:///books/no-extension", "file:///books/no-extension"),
    ],
)
def test_a_picture_in_the_rendered_folder_or_at_the_rendered_file_has_a_place(path, dst):
    assert place(path, dst) == path


@pytest.mark.parametrize(
    "path",
    [
        "file:///etc/passwd",
        "/books/fox/cover.jpeg",
        "books/fox/cover.jpeg",
        "file:///books/cover.jpeg",
        "file:///books/fox",
        "file:///books/fox/",
        "file:///books/fox/.jpeg",
        "file:///books/fox/..jpeg",
        "file:///books/fox/cover.json",
        "file:///books/fox/cover.jpeg.json",
        "file:///books/fox/cover.html",
        "file:///books/fox/cover.JPEG",
        "file:///books/fox/cover.jpeg\n",
        "file:///books/fox/cover\x00.jpeg",
        "file:///books/fox/deeper/cover.jpeg",
        "file:///books/fox/../cover.jpeg",
        "file:///books/fox/../fox/cover.jpeg",
        "file:///books/fox/./cover.jpeg",
        "file:///books/fox//cover.jpeg",
        "file:///books/fox/%2e%2e/cover.jpeg",
        "file:///books/fox%2Fcover.jpeg",
        "file:///books/fox/%63over.jpeg",
        "file:///books/fox/..%2fcover.jpeg",
        "file:///books/fox/c*.jpeg",
        "file:///books/fox/cover.jpeg?versionId=1.jpeg",
        "file://localhost/books/fox/cover.jpeg",
        "FILE:///books/fox/cover.jpeg",
        "file:///books/fox-and-owl/cover.jpeg",
        "file://other@/books/fox/cover.jpeg",
        "s3://books/fox/cover.jpeg",
        "http://127.0.0.1/books/fox/cover.jpeg",
        "memory://books/fox/cover.jpeg",
        f"file:///books/fox/{'x' * 300}.jpeg",
        "",
        None,
        7,
        True,
        ["file:///books/fox/cover.jpeg"],
        {"path": "file:///books/fox/cover.jpeg"},
    ],
)
def test_what_an_xcom_names_elsewhere_has_none(path):
    with pytest.raises(NotShownError):
        place(path, "file:///books/fox/")
    with pytest.raises(NotShownError):
        place(path, "file:///books/fox/cover.png")


@pytest.mark.parametrize(
    "dst",
    [
        None,
        "",
        7,
        [],
        {},
        "file://books/fox/",
        "file://localhost/books/fox/",
        "local:///books/fox/",
        "http://127.0.0.1/books/fox/",
        "https://example.com/books/fox/",
        "memory://books/fox/",
        "github://books/fox/",
        "zip://books/fox/::file:///a.zip",
        "file:///books/fox/::file:///cover.jpeg/",
        "simplecache::file:///books/fox/",
        "file:///books/../fox/",
        "/books/fox/",
        "Truncated. You can change this behaviour in [core]max_templated_field_length. 'file:///books/fox/",
        "file:///" + "x/" * 3000,
    ],
)
def test_a_rendered_dst_that_is_no_store_or_was_cut_off_shows_nothing(dst):
    text = dst if isinstance(dst, str) else "file:///books/fox/"
    for path in (f"{text}cover.jpeg", text, f"file://{Path.cwd()}/books/fox/cover.jpeg", CHAIN):
        with pytest.raises(NotShownError):
            place(path, dst)


def test_the_connection_is_the_rendered_one_and_not_the_xcoms(connect):
    connect("shelf", conn_type="aws", login="x", password="y")
    with pytest.raises(NotShownError):
        place("s3://other@books/fox/cover.jpeg", "s3://books/fox/", "shelf")
    with pytest.raises(NotShownError):
        place("s3://books/fox/cover.jpeg", "s3://books/fox/", "shelf")
    with pytest.raises(NotShownError):
        place("s3://['shelf']@books/fox/cover.jpeg", "s3://books/fox/", ["shelf"])
    assert place("s3://shelf@books/fox/cover.jpeg", "s3://books/fox/", "shelf") == "s3://shelf@books/fox/cover.jpeg"
    with pytest.raises(NotShownError):
        place("s3://shelf@other-books/fox/cover.jpeg", "s3://books/fox/", "shelf")


def test_every_name_that_the_operators_give_can_be_shown():
    from airflow_provider_talecraft.pictures.delivery import file_name_of

    for name in ("cover", "Fuchs & Eule", "第1页", "a/b", "..", "page 7.final", "_x", "x" * 500, "-", "0f3a"):
        assert NAME.fullmatch(f"{file_name_of(name)}.jpeg"), name


def test_a_manifest_is_read_where_the_worker_was_to_write_it_and_nowhere_else():
    rendered = {"manifest_path": "file:///books/all.jsonl ", "manifest_conn_id": None, "dst": "file:///books/fox/"}
    assert str(manifest_place("file:///books/all.jsonl", rendered)) == "file:///books/all.jsonl"
    for path in ("file:///books/other.jsonl", "file:///books/../books/all.jsonl", None, 7, "", "/books/all.jsonl"):
        with pytest.raises(NotShownError):
            manifest_place(path, rendered)
    with pytest.raises(NotShownError):
        manifest_place("http://h/all.jsonl", {"manifest_path": "http://h/all.jsonl"})
    with pytest.raises(NotShownError):
        manifest_place("file:///books/all.jsonl", {"dst": "file:///books/"})

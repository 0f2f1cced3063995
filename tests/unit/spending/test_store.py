"""Where records are kept: keys that every store takes, and a folder for Airflow without a store."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_talecraft.spending.store import RecordFolder, safe_key


@pytest.fixture
def folder(tmp_path):
    return RecordFolder(ObjectStoragePath(f"file://{tmp_path}/book.jsonl.records/abc"))


@pytest.mark.parametrize("name", ["0", "17", "cover", "page-3_b"])
def test_a_plain_name_is_its_own_key(name):
    assert safe_key(name) == name


NAMES = [
    "cover", "Cover", "COVER", " cover", "..", ".", "a/b", "a b", "a?b", "a#b", "a%2Fb", "é", "狐狸", "狐狸 2",
    "\N{FOX FACE}", "k" * 64, "k" * 65, "k" * 200,
]  # fmt: skip


def test_any_other_name_has_a_key_of_its_own_that_every_store_takes():
    keys = [safe_key(name) for name in NAMES]
    assert len({key.casefold() for key in keys}) == len(NAMES)
    for key in keys:
        assert key.isascii()
        assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-.")
        assert len(key) <= 80
        assert safe_key(key) != key or key in NAMES, "a mapped key could be somebody's plain name"


def test_what_was_set_is_got(folder):
    assert folder.get("talecraft-0") is None
    folder.set("talecraft-0", {"state": "sent"})
    folder.set("talecraft-0", {"state": "delivered"})
    assert folder.get("talecraft-0") == {"state": "delivered"}
    assert folder.get("talecraft-1") is None


def test_a_file_that_is_no_json_is_not_taken_for_no_record(folder, tmp_path):
    folder.set("talecraft-0", {})
    (path,) = tmp_path.rglob("talecraft-0.json")
    path.write_text('{"state": "se')
    assert folder.get("talecraft-0") == '{"state": "se'


def test_nothing_else_is_left_in_the_folder(folder, tmp_path):
    for number in range(5):
        folder.set("talecraft-0", {"number": number})
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["talecraft-0.json"]


def test_a_person_is_told_which_file(folder, tmp_path):
    assert folder.place("talecraft-0") == f"the file file://{tmp_path}/book.jsonl.records/abc/talecraft-0.json"

"""Where records are kept: pages of many in Airflow's store, or in a folder where Airflow has none."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from state_store import Store

from airflow_provider_talecraft.spending.store import Pages, RecordFolder


@pytest.fixture
def folder(tmp_path):
    return RecordFolder(ObjectStoragePath(f"file://{tmp_path}/book.jsonl.records/abc"))


NAMES = ["0", "cover", "Cover", " cover", "..", "a/b", "a#b", "é", "狐狸", "k" * 200]


def entry(name, size=100):
    return {"state": "sent", "prompt": name, "filling": "x" * size}


@pytest.mark.parametrize("size", [10, 900, 9_000, 70_000])
def test_every_record_is_found_again_whatever_it_is_called_and_however_large_it_has_grown(size):
    store = Store()
    names = [*NAMES, *(f"n{number}" for number in range(150))]
    pages = Pages(store)
    for name in names:
        pages.keeper(name).begin(entry(name))
    for name in names:
        pages.keeper(name).save(entry(name, size))
    again = Pages(store)
    assert {name: again.keeper(name).load() for name in names} == {name: entry(name, size) for name in names}
    assert again.keeper("nobody").load() is None
    for page in store.read().values():
        assert len(page["illustrations"]) == 1 or len(json.dumps(page)) < 64_000


def test_the_pages_may_lie_in_a_folder(folder):
    Pages(folder).keeper("cover").save(entry("cover"))
    assert Pages(folder).keeper("cover").load() == entry("cover")
    assert "the entry 'cover' in the file file://" in Pages(folder).keeper("cover").place


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

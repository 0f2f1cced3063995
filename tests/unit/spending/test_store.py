"""Where records are kept: pages of many in Airflow's store, or in a folder where Airflow has none."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath
from state_store import Store

from airflow_provider_talecraft.spending.store import Pages, RecordFolder, StateKey
from airflow_provider_talecraft.version_compat import NEVER_EXPIRE


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


def kept(store):
    return {key: list(page["illustrations"]) for key, page in store.read().items()}


def test_a_page_has_64_entries_and_each_is_written_again_where_it_was():
    store = Store()
    pages = Pages(store)
    names = [f"n{number}" for number in range(66)]
    for name in names:
        pages.keeper(name).begin(entry(name))
    for name in names:
        pages.keeper(name).save(entry(name, 200))
    assert kept(store) == {"talecraft-page-1": names[:64], "talecraft-page-2": names[64:]}
    assert "'n0' in the key 'talecraft-page-1' under" in pages.keeper("n0").place
    assert "'n65' in the key 'talecraft-page-2' under" in Pages(store).keeper("n65").place
    assert "'new' in the key 'talecraft-page-3' under" in pages.keeper("new").place


def test_an_entry_that_has_outgrown_its_page_moves_on_to_the_last_one_or_a_new_one():
    store = Store()
    pages = Pages(store)
    for name in ("a", "b"):
        pages.keeper(name).save(entry(name, 20_000))
    pages.keeper("a").save(entry("a", 45_000))
    assert kept(store) == {"talecraft-page-1": ["a", "b"], "talecraft-page-2": ["a"]}
    pages.keeper("b").save(entry("b", 10_000))
    pages.keeper("b").save(entry("b", 44_000))
    assert kept(store)["talecraft-page-3"] == ["b"]
    for again in (pages, Pages(store)):
        assert again.keeper("a").load() == entry("a", 45_000)
        assert again.keeper("b").load() == entry("b", 44_000)


@pytest.mark.parametrize("page", [[], "x", {}, {"illustrations": None}, {"illustrations": []}])
def test_a_page_edited_to_nonsense_is_an_error_before_anything_is_sent(page):
    store = Store()
    Pages(store).keeper("a").save(entry("a"))
    store.set("talecraft-page-2", page)
    with pytest.raises(
        AirflowFailException, match=r"nothing was sent\. Look at the key 'talecraft-page-2' under Storage"
    ):
        Pages(store)


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


def test_a_record_of_its_own_in_a_folder_is_told_by_its_file(folder, tmp_path):
    assert StateKey(folder).place == f"the file file://{tmp_path}/book.jsonl.records/abc/talecraft.json"


def test_nothing_else_is_left_in_the_folder(folder, tmp_path):
    for number in range(5):
        folder.set("talecraft-0", {"number": number})
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["talecraft-0.json"]


def test_a_person_is_told_which_file(folder, tmp_path):
    assert folder.place("talecraft-0") == f"the file file://{tmp_path}/book.jsonl.records/abc/talecraft-0.json"


def test_a_file_that_is_no_text_is_not_taken_for_no_record_either(folder, tmp_path):
    folder.set("talecraft-0", {})
    (path,) = tmp_path.rglob("talecraft-0.json")
    path.write_bytes(b"\xff{")
    assert folder.get("talecraft-0") == "\ufffd{"


def test_where_airflow_has_no_store_nobody_keeps_and_else_each_under_its_key():
    store = Store()
    assert StateKey.of({}) is None
    assert StateKey.of({"task_state_store": None}) is None
    StateKey.of({"task_state_store": store}).begin({"state": "sent"})
    StateKey.of({"task_state_store": store}, "another").save({"state": "refused"})
    assert store.read() == {"talecraft": {"state": "sent"}, "another": {"state": "refused"}}
    assert StateKey.of({"task_state_store": store}, "another").load() == {"state": "refused"}


def test_what_was_paid_is_kept_for_good():
    class Keeping:
        def __init__(self):
            self.retentions = []

        def get(self, key):
            return None

        def set(self, key, value, *, retention):
            self.retentions.append(retention)

    keeping = Keeping()
    StateKey.of({"task_state_store": keeping}).save({})
    Pages(keeping).keeper("a").save({})
    assert keeping.retentions == [NEVER_EXPIRE, NEVER_EXPIRE]

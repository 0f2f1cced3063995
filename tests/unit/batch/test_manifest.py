"""What is finished is kept on disk, in order, and stands in the manifest whole or not at all."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_talecraft.batch.manifest import Manifest, Output


@pytest.fixture
def manifest(tmp_path):
    return Manifest(ObjectStoragePath(f"file://{tmp_path}/new/book.jsonl"))


def standing(manifest):
    return [json.loads(line) for line in manifest.path.read_bytes().splitlines()]


def test_entries_come_back_in_the_order_of_their_indexes():
    with Output(4) as output:
        for index in (2, 0, 3, 1):
            output.add({"index": index, "prompt": "狐狸" * index})
        assert output.entries() == [{"index": index, "prompt": "狐狸" * index} for index in range(4)]


def test_what_is_not_finished_yet_is_not_there():
    with Output(4) as output:
        output.add({"index": 3})
        output.add({"index": 1})
        assert output.entries() == [{"index": 1}, {"index": 3}]


def test_the_manifest_has_a_line_per_entry_and_is_replaced_as_a_whole(manifest):
    with Output(3) as output:
        output.add({"index": 1, "prompt": "one\nline\u2028only"})
        manifest.write(output)
        assert standing(manifest) == [{"index": 1, "prompt": "one\nline\u2028only"}]
        output.add({"index": 0})
        with open(manifest.path.path) as reader:  # noqa: PTH123  # a store's path, not a Path
            manifest.write(output)
            assert len(reader.readlines()) == 1, "somebody reads the one before and sees it change"
        assert [entry["index"] for entry in standing(manifest)] == [0, 1]


def test_a_manifest_that_cannot_be_finished_leaves_the_one_before(manifest, tmp_path, monkeypatch):
    with Output(2) as output:
        output.add({"index": 0})
        manifest.write(output)
        output.add({"index": 1})
        monkeypatch.setattr("shutil.copyfileobj", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
        with pytest.raises(OSError, match="no space left"):
            manifest.write(output)
    assert [entry["index"] for entry in standing(manifest)] == [0]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["book.jsonl"]


def test_a_check_makes_an_empty_one_and_leaves_an_earlier_one_alone(manifest):
    manifest.check()
    assert standing(manifest) == []
    with Output(1) as output:
        output.add({"index": 0})
        manifest.write(output)
    manifest.check()
    assert standing(manifest) == [{"index": 0}]


def test_a_place_that_cannot_be_written_is_found_by_the_check(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        Manifest(ObjectStoragePath(f"file://{tmp_path}/file/book.jsonl")).check()


def test_ten_thousand_entries_take_hardly_more_memory_than_a_hundred(manifest):
    def peak(count):
        tracemalloc.start()
        try:
            with Output(count) as output:
                for index in range(count):
                    output.add({"index": index, "prompt": f"{index} " + "long " * 200})
                manifest.write(output)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    few, many = peak(100), peak(10_000)
    assert many - few < 400_000
    assert manifest.path.stat().st_size > 10_000_000

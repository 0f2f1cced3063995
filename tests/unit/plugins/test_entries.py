"""A manifest is read strictly: what is not exactly an entry is refused, and so is all of it."""

from __future__ import annotations

import io
import json

import pytest

from airflow_provider_talecraft.plugins import entries as module
from airflow_provider_talecraft.plugins.confinement import NotShownError
from airflow_provider_talecraft.plugins.entries import entries

ENTRY = {
    "index": 0, "key": "fox", "id": "a1", "status": "success", "image_url": "https://example.com/a.jpeg",
    "prompt": "A fox\nin snow", "style": "children_book", "aspect_ratio": "1:1", "path": "s3://b/fox.jpeg", "size": 7,
    "sha256": "0" * 64, "content_type": "image/jpeg", "width": 4, "height": 3, "drawn": True,
}  # fmt: skip
FAILED = {"index": 1, "key": "owl", "error": "refused", "prompt": "An owl", "style": "x", "aspect_ratio": "1:1"}


def lines(*given):
    text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in given)
    return list(entries(io.BytesIO(text.encode())))


def test_what_a_batch_writes_is_read():
    assert lines(ENTRY, FAILED) == [ENTRY, FAILED]
    assert lines() == []


def test_every_field_that_the_operators_write_is_known(tmp_path, connected):
    from drawing import draw_batch

    manifest = tmp_path / "all.jsonl"
    draw_batch(tmp_path, ["A fox", "An owl"], manifest_path=f"file://{manifest}", manifest_threshold=1)
    with manifest.open("rb") as file:
        assert [entry["index"] for entry in entries(file)] == [0, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"index": -1}, {"index": True}, {"index": "0"}, {"index": 0.0}, {"index": 2**53}, {"key": None}, {"key": 7},
        {"password": "x"}, {"image_url": "javascript:alert(1)"}, {"image_url": ""}, {"image_url": "file:///etc/passwd"},
        {"sha256": "0" * 63}, {"sha256": "G" * 64}, {"sha256": 0}, {"content_type": "text/html"}, {"content_type": []},
        {"drawn": 1}, {"width": "4"}, {"size": -1}, {"path": ["x"]}, {"prompt": {"a": 1}}, {"key": "\ud800"},
    ],
    ids=str,
)  # fmt: skip
def test_a_field_of_another_type_is_refused(change):
    with pytest.raises(NotShownError):
        lines({**ENTRY, **change})


@pytest.mark.parametrize(
    "line",
    [
        "", "{}", "[]", "null", "7", '"x"', "root:x:0:0:root:/root:/bin/bash", "{", '{"index": NaN, "key": "x"}',
        '{"index": 0}', '{"key": "x"}', "[" * 100_000, '{"index": ' + "1" * 5000 + ', "key": "x"}',
        json.dumps({"index": 0, "key": "x" * 300_000}),
    ],
    ids=lambda line: line[:20],
)  # fmt: skip
def test_what_is_no_entry_is_refused(line):
    with pytest.raises(NotShownError):
        lines(line)


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(NotShownError):
        list(entries(io.BytesIO(b'{"index": 0, "key": "\xff"}\n')))


def test_entries_are_in_order_and_none_is_there_twice():
    for second in (0, 1):
        with pytest.raises(NotShownError):
            lines({**FAILED, "index": 1}, {**FAILED, "index": second})


def test_their_number_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_ENTRIES", 2)
    assert len(lines(*({**FAILED, "index": index} for index in range(2)))) == 2
    with pytest.raises(NotShownError):
        lines(*({**FAILED, "index": index} for index in range(3)))

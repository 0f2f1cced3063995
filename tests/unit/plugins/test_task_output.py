"""Which of a task's XComs says what it has stored."""

from __future__ import annotations

import pytest

pytest.importorskip("airflow.api_fastapi", reason="the pages came with Airflow 3.1")

from airflow_provider_talecraft.plugins.confinement import NotShownError
from airflow_provider_talecraft.plugins.task_output import returned

ENTRIES = [{"index": 0, "key": "fox", "path": "file:///books/fox.jpeg"}]


def test_what_a_task_returned_counts_and_not_its_report():
    assert returned({"return_value": ENTRIES, "talecraft_report": {"entries": []}}) == ENTRIES


def test_a_failed_batch_has_its_entries_or_their_manifest_in_its_report():
    assert returned({"talecraft_report": {"state": "failed", "entries": ENTRIES}}) == ENTRIES
    report = {"state": "failed", "manifest_path": "file:///books/all.jsonl"}
    assert returned({"talecraft_report": report}) == report


@pytest.mark.parametrize("value", [None, "", "s3://xcoms/kept-elsewhere", 7, True])
def test_what_an_xcom_backend_keeps_elsewhere_is_nothing(value):
    with pytest.raises(NotShownError):
        returned({"return_value": value})
    with pytest.raises(NotShownError):
        returned({"talecraft_report": value})

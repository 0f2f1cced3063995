"""What ``--save`` takes for a place."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.cli.saving import place_and_connection


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://bucket/folder/", ("s3://bucket/folder/", None)),
        ("s3://aws_mine@bucket/fox.jpeg", ("s3://bucket/fox.jpeg", "aws_mine")),
        ("abfs://mine@container/a/", ("abfs://container/a/", "mine")),
        # Azure's own spelling; that it is none of Airflow's is said by whoever opens it.
        ("abfss://c@a.dfs.core.windows.net/f", ("abfss://c@a.dfs.core.windows.net/f", None)),
        ("file:///tmp/a@b/c", ("file:///tmp/a@b/c", None)),
    ],
)
def test_the_stores_connection_is_taken_out_of_a_uri(place, said):
    assert place_and_connection(place) == said


def test_a_local_path_becomes_a_uri_and_a_folder_that_is_there_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()
    assert place_and_connection("fox.jpeg") == (f"file://{tmp_path}/fox.jpeg", None)
    assert place_and_connection("pages") == place_and_connection("pages/") == (f"file://{tmp_path}/pages/", None)
    assert place_and_connection("new/") == (f"file://{tmp_path}/new/", None)
    assert place_and_connection("../fox 1#%?.jpeg") == (f"file://{tmp_path.parent}/fox 1#%?.jpeg", None)

"""What ``--save`` takes for a place."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.cli.saving import as_uri


@pytest.mark.parametrize("uri", ["s3://bucket/folder/", "s3://aws_mine@bucket/fox.jpeg", "file:///tmp/a@b/c"])
def test_a_uri_stays_as_it_is(uri):
    assert as_uri(uri) == uri


def test_a_local_path_becomes_a_uri_and_a_folder_that_is_there_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()
    assert as_uri("fox.jpeg") == f"file://{tmp_path}/fox.jpeg"
    assert as_uri("pages") == as_uri("pages/") == f"file://{tmp_path}/pages/"
    assert as_uri("new/") == f"file://{tmp_path}/new/"
    assert as_uri("../fox 1#%?.jpeg") == f"file://{tmp_path.parent}/fox 1#%?.jpeg"

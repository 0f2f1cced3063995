"""Which connection a place is opened with, on every Airflow."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.pictures.place import store_path


@pytest.mark.parametrize(
    ("uri", "conn_id", "expected"),
    [
        ("s3://mine@bucket/a/", None, "s3://mine@bucket/a"),
        ("s3://bucket/a/", "mine", "s3://mine@bucket/a"),
        ("s3://bucket/a/", None, "s3://bucket/a"),
    ],
)
def test_the_connection_that_a_uri_names_is_taken_unless_another_is_given(uri, conn_id, expected):
    assert str(store_path(uri, conn_id)).rstrip("/") == expected

"""What OpenLineage is told, named as OpenLineage names it."""

from __future__ import annotations

import pytest

pytest.importorskip("airflow.providers.openlineage", reason="the OpenLineage provider is not installed")


@pytest.mark.parametrize(
    ("uri", "namespace", "name"),
    [
        ("s3://bucket/a/fox.jpeg", "s3://bucket", "a/fox.jpeg"),
        ("gs://bucket/fox.jpeg", "gs://bucket", "fox.jpeg"),
        ("file:///data/fox.jpeg", "file", "/data/fox.jpeg"),
        ("s3://bucket/a://fox.jpeg", "s3://bucket", "a://fox.jpeg"),
    ],
)
def test_the_service_goes_in_and_each_object_comes_out_with_what_is_told_of_it(uri, namespace, name):
    from airflow_provider_talecraft.pictures.lineage import lineage

    told = lineage("https://talescaleai.com", {uri: "A fox", "s3://b/owl": "An owl"})
    assert [(one.namespace, one.name) for one in told.inputs] == [("https://talescaleai.com", "/api/v1/generate")]
    assert [(one.namespace, one.name) for one in told.outputs] == [(namespace, name), ("s3://b", "owl")]
    assert [one.facets["documentation"].description for one in told.outputs] == ["A fox", "An owl"]

"""A picture into the object store of your choice. The destination is a parameter.

It costs 2 credits, once: a run that finds the picture pays nothing. Trigger it with, for example,
``{"destination": "s3://my-picture-books/talecraft", "conn_id": "aws_default"}``. Local files need no ``conn_id``. Other
stores need an extra of this package (``s3``, ``gcs``, ``azure``) and a connection; docs/storage.md has one of each.
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import IllustrationOperator

with DAG(
    dag_id="talecraft_to_object_storage",
    schedule=None,
    params={
        "prompt": "A lighthouse keeper reads to the gulls",
        "destination": "file:///tmp/talecraft",
        "conn_id": "",
    },
    tags=["talecraft", "example"],
    doc_md=__doc__,
):
    IllustrationOperator(
        task_id="draw",
        prompt="{{ params.prompt }}",
        aspect_ratio="3:2",
        dst="{{ params.destination }}/",
        dst_conn_id="{{ params.conn_id }}",
    )

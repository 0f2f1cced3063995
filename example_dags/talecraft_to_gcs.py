"""A picture into Google Cloud Storage, under the run's id and with a description beside it.

Needs ``pip install 'airflow-provider-talecraft[gcs]'`` and the connection ``google_cloud_default`` (docs/storage.md).
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

with DAG(
    dag_id="talecraft_to_gcs",
    schedule=None,
    params={
        "prompt": "A lighthouse keeper reads to the gulls",
        "bucket": "my-picture-books",
    },
    tags=["talecraft", "example"],
    doc_md=__doc__,
):
    generate = GenerateIllustrationOperator(
        task_id="generate",
        prompt="{{ params.prompt }}",
        aspect_ratio="3:2",
    )

    IllustrationToObjectStorageOperator(
        task_id="store",
        illustration=generate.output,
        dst="gs://{{ params.bucket }}/{{ run_id }}/",
        dst_conn_id="google_cloud_default",
    )

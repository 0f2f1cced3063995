"""One prompt, one file: the smallest useful Dag."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

#: Where the examples store, unless a run says otherwise.
DESTINATION = os.environ.get("TALECRAFT_EXAMPLES", "file:///tmp/talecraft")

with DAG(
    dag_id="talecraft_quickstart",
    schedule=None,
    params={
        "prompt": "A brave knight in an enchanted forest",
        "destination": DESTINATION,
    },
    tags=["talecraft", "example"],
    doc_md=__doc__,
):
    generate = GenerateIllustrationOperator(
        task_id="generate",
        prompt="{{ params.prompt }}",
        aspect_ratio="16:9",
    )

    IllustrationToObjectStorageOperator(
        task_id="store",
        illustration=generate.output,
        dst="{{ params.destination }}/{{ run_id }}/",
    )

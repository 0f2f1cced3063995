"""Examples that need a scheduler, found here as they stand in example_dags/; and an alias, which has none."""

from __future__ import annotations

import runpy
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG, AssetAlias

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

EXAMPLES = Path(__file__).resolve().parents[3] / "example_dags"

# Airflow registers every Dag that is made while it reads this file.
runpy.run_path(str(EXAMPLES / "talecraft_assets.py"))
runpy.run_path(str(EXAMPLES / "talecraft_book.py"))

with DAG("talecraft_aliases", schedule=None, params={"destination": ""}):
    generate = GenerateIllustrationOperator(
        task_id="generate", prompt="An alias, {{ '{{' }}", outlets=[AssetAlias("drawn")]
    )
    IllustrationToObjectStorageOperator(
        task_id="store",
        image_url=generate.output["image_url"],
        metadata=generate.output,
        dst="{{ params.destination }}/狐狸.jpeg",
        outlets=[AssetAlias("stored")],
    )

"""Two Dags of mapped tasks and one with a batch that share an account; with the pool of docs/scale.md, and without."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
)


def pages(name):
    return [f"{name} {number:03}." for number in range(6)]


for pool in ("talecraft", "default_pool"):
    shared = {"pool": pool, "talecraft_conn_id": "talecraft_shared"}
    for name in ("first", "second"):
        with DAG(f"talecraft_{pool}_{name}", schedule=None):
            GenerateIllustrationOperator.partial(task_id="draw", **shared).expand(prompt=pages(f"{pool} {name}"))
    with DAG(f"talecraft_{pool}_batch", schedule=None):
        GenerateIllustrationBatchOperator(
            task_id="draw",
            prompts=pages(f"{pool} batch"),
            pool_slots=2,
            max_concurrency=2,
            requests_per_minute=60,
            **shared,
        )

"""What ``benchmarks/limits.py`` has drawn within the plan's limits: one task, and three Dags that share a pool."""

from __future__ import annotations

import os

from airflow.sdk import DAG

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
)

#: What ``benchmarks/limits.py`` was asked for.
COUNT = int(os.environ.get("TALECRAFT_BENCHMARK_ILLUSTRATIONS", "30"))
DAGS = ("first", "second", "third")


def prompts(name: str, count: int) -> list[str]:
    return [f"Page {number:04} of the {name} book." for number in range(count)]


with DAG("one_task", schedule=None):
    GenerateIllustrationBatchOperator(
        task_id="draw",
        talecraft_conn_id="one_task",  # its extra has the plan's limits
        prompts=prompts("only", COUNT),
        manifest_threshold=COUNT,
    )

for number, book in enumerate(DAGS):
    with DAG(book, schedule=None):
        GenerateIllustrationOperator.partial(task_id="draw", talecraft_conn_id="three_dags", pool="three_dags").expand(
            prompt=prompts(book, len(range(number, COUNT, len(DAGS))))
        )

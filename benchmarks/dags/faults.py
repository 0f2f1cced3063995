"""A hundred illustrations for ``benchmarks/faults.py``: mapped over a pool, in two steps, and in a batch."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG, task_group

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
    IllustrationOperator,
)
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

FOLDER = f"{os.environ.get('TALECRAFT_EXAMPLES', 'file:///tmp/talecraft')}/faults"
#: How many in each way.
COUNTS = {"once": 25, "steps": 25, "batch": 50}
#: Made by the benchmark; the plan's two at a time.
POOL = "faults"
#: A minute in place of Airflow's five, so that the run is shorter. Three of them outlast each fault.
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=1)}


def prompts(way: str) -> list[str]:
    return [f"{way} {number:02}: a lighthouse in a storm" for number in range(COUNTS[way])]


with DAG(dag_id="faults", schedule=None, default_args=RETRIES):
    IllustrationOperator.partial(
        task_id="once", pool=POOL, weight_rule="absolute", dst=f"{FOLDER}/once/", **RETRIES
    ).expand(prompt=prompts("once"))

    @task_group
    def steps(prompt: str) -> None:
        """Draw one, and store it."""
        drawn = GenerateIllustrationOperator(
            task_id="generate", prompt=prompt, pool=POOL, weight_rule="absolute", **RETRIES
        )
        IllustrationToObjectStorageOperator(task_id="store", illustration=drawn.output, dst=f"{FOLDER}/steps/")

    steps.expand(prompt=prompts("steps"))

    GenerateIllustrationBatchOperator(
        task_id="batch",
        prompts=prompts("batch"),
        dst=f"{FOLDER}/batch/",
        # It is one task that meets all of the faults.
        retries=10,
        retry_delay=RETRIES["retry_delay"],
    )

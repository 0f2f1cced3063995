"""Each way to draw, for the metrics; where the pictures go is the run's to say."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
    IllustrationOperator,
)

with DAG("talecraft_metrics", schedule=None, params={"dst": ""}):
    GenerateIllustrationOperator(task_id="one", prompt="One.")
    GenerateIllustrationOperator(task_id="lost", prompt="Lost.", retries=1, retry_delay=timedelta(0), max_replays=0)
    GenerateIllustrationOperator(task_id="refused", prompt="Refused.", retries=0)
    GenerateIllustrationBatchOperator(
        task_id="many", prompts=["Many 1.", "Many 2.", "Many 3."], requests_per_minute=1200, max_concurrency=2
    )
    IllustrationOperator(task_id="once", prompt="Once.", dst="{{ params.dst }}")

    @task(retries=0)
    def hook():
        TaleCraftHook().generate("Hook.")

    hook()

"""Single tasks and a batch that run at the same time, over a connection with credits_per_day."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
)

with DAG("talecraft_spend_limit", schedule=None, default_args={"retries": 0, "talecraft_conn_id": "talecraft_daily"}):
    GenerateIllustrationOperator.partial(task_id="one").expand(prompt=[f"One {number}." for number in range(8)])
    GenerateIllustrationBatchOperator(
        task_id="many",
        prompts=[f"Many {number}." for number in range(8)],
        requests_per_minute=1200,
        max_concurrency=4,
    )

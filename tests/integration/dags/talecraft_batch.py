"""Batches that lose their worker, their time or their patience, and one that is to keep to its limits."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy

SECOND = timedelta(seconds=1)
QUICK = {
    "retries": 5,
    "retry_delay": SECOND,
    "retry_policy": TaleCraftRetryPolicy(outcome_unknown_delay=SECOND),
    "max_concurrency": 8,
    "requests_per_minute": 1200,
}


def pages(name, count):
    return [f"{name} {number:03}." for number in range(count)]


with DAG("talecraft_batch", schedule=None, default_args=QUICK):
    GenerateIllustrationBatchOperator(task_id="killed", prompts=pages("Killed", 100), max_replays=3)

with DAG("talecraft_batch_timeout", schedule=None, default_args=QUICK):
    GenerateIllustrationBatchOperator(
        task_id="timed_out", prompts=pages("Timed out", 20), execution_timeout=timedelta(seconds=30)
    )

with DAG("talecraft_batch_stopped", schedule=None, default_args=QUICK):
    GenerateIllustrationBatchOperator(
        task_id="stopped", prompts=[{"prompt": page, "key": page[-4:-1]} for page in pages("Stopped", 40)]
    )

with DAG("talecraft_batch_limits", schedule=None):
    GenerateIllustrationBatchOperator(
        task_id="limited",
        prompts=pages("Limited", 200),
        talecraft_conn_id="talecraft_limited",
        manifest_path="{{ dag_run.conf['manifest_path'] }}",
    )

"""Tasks in pods that are told to go while a request is on its way."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG
from kubernetes.client import models as k8s

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
    IllustrationOperator,
)

AT_ONCE = {"pod_override": k8s.V1Pod(spec=k8s.V1PodSpec(containers=[], termination_grace_period_seconds=1))}

with DAG("talecraft_pods", schedule=None, default_args={"retries": 2, "retry_delay": timedelta(seconds=1)}):
    GenerateIllustrationOperator(task_id="generate", prompt="A fox waits for its picture")
    IllustrationOperator(task_id="draw", prompt="An owl waits for its picture", dst="{{ dag_run.conf['dst'] }}")
    GenerateIllustrationOperator(task_id="at_once", prompt="A hare has no time", executor_config=AT_ONCE)
    GenerateIllustrationOperator(task_id="restarted", prompt="A heron waits for the scheduler")
    GenerateIllustrationBatchOperator(
        task_id="batch",
        prompts=[f"Badger number {number}" for number in range(4)],
        max_concurrency=2,
        requests_per_minute=600,
    )

"""A task for each way to have a picture, and for each to have none; the conf says where to store."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
    IllustrationOperator,
)
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

FOLDER = "{{ dag_run.conf['folder'] }}/"

with DAG("talecraft_links", schedule=None, default_args={"retries": 0}):
    drawn = GenerateIllustrationOperator(task_id="drawn", prompt="A linked fox.")
    IllustrationToObjectStorageOperator(task_id="stored", illustration=drawn.output, dst=FOLDER)
    IllustrationOperator(task_id="drawn_once", prompt="A linked owl.", dst=FOLDER)
    GenerateIllustrationOperator.partial(task_id="mapped").expand(prompt=["A linked cat.", "A linked hare."])
    GenerateIllustrationBatchOperator(task_id="batch", prompts=["A linked bear."])
    GenerateIllustrationOperator(task_id="refused", prompt="{{ '' }}")

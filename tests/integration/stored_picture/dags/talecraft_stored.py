"""Each way of storing, into folders and an S3; and a Dag that not everybody may read, into one of the same folders."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
    IllustrationOperator,
)
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

FOLDER = os.environ.get("TALECRAFT_TEST_FOLDER", "file:///tmp/talecraft-tests")

with DAG("talecraft_stored", schedule=None, default_args={"retries": 0}):
    IllustrationOperator(task_id="folder", prompt="A fox", dst=f"{FOLDER}/book/", name="cover")
    IllustrationOperator(task_id="file", prompt="A fox", dst=f"{FOLDER}/single/cover.jpeg")
    IllustrationOperator(
        task_id="s3", prompt="A fox", dst="s3://picture-books/{{ dag.dag_id }}/", dst_conn_id="shelf", name="cover"
    )
    IllustrationOperator.partial(task_id="mapped", dst=f"{FOLDER}/mapped/", name="page {{ ti.map_index }}").expand(
        prompt=["An owl", "A snail"]
    )
    GenerateIllustrationBatchOperator(task_id="batch", prompts=["A", "B"], dst=f"{FOLDER}/batch/")
    GenerateIllustrationBatchOperator(
        task_id="manifest",
        prompts=["C", "D"],
        dst=f"{FOLDER}/manifest/",
        manifest_path=f"{FOLDER}/manifest.jsonl",
        manifest_threshold=1,
    )
    generated = GenerateIllustrationOperator(task_id="generate", prompt="A cat")
    IllustrationToObjectStorageOperator(task_id="stored", illustration=generated.output, dst=f"{FOLDER}/stored/")
    IllustrationToObjectStorageOperator(
        task_id="no_sidecar", illustration=generated.output, dst=f"{FOLDER}/no-sidecar/", write_sidecar=False
    )

with DAG("talecraft_secret", schedule=None, default_args={"retries": 0}):
    IllustrationOperator(task_id="folder", prompt="A secret", dst=f"{FOLDER}/book/", name="secret")

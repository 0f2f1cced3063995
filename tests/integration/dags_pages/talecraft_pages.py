"""What pages are to show: one picture, many, none, stored ones, hostile ones, and one that takes its time."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
    IllustrationOperator,
)
from airflow_provider_talecraft.transfers.illustration_batch_to_object_storage import (
    IllustrationBatchToObjectStorageOperator,
)
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

FOLDER = "{{ dag_run.conf['folder'] }}"
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>\"' {{ 7 * 7 }}"

with DAG("talecraft_pages", schedule=None, default_args={"retries": 0}):
    single = GenerateIllustrationOperator(
        task_id="single", prompt="An owl reads by lantern light", style="children_book", aspect_ratio="3:2"
    )
    mapped = GenerateIllustrationOperator.partial(task_id="mapped").expand(
        prompt=["A paper boat on a lake", "The fox breaks its pencil", "A red balloon over the hills"]
    )
    batch = GenerateIllustrationBatchOperator(
        task_id="batch",
        prompts=[
            {"prompt": "A bear bakes bread", "key": "bear"},
            {"prompt": "The fox breaks its pencil again", "key": "fox"},
            {"prompt": "Snow on the mill", "key": "mill"},
        ],
        on_partial_failure="keep",
    )
    once = IllustrationOperator(
        task_id="once", prompt="A cat asleep on a bookshelf", dst=f"{FOLDER}/once/", aspect_ratio="4:3"
    )
    store = IllustrationToObjectStorageOperator(
        task_id="store", illustration=single.output, dst=f"{FOLDER}/owl.jpeg", image_hosts="127.0.0.1"
    )
    store_batch = IllustrationBatchToObjectStorageOperator(
        task_id="store_batch", illustrations=batch.output, dst=f"{FOLDER}/batch/", image_hosts="127.0.0.1"
    )

    @task
    def stranger():
        return "nothing of ours"

    stranger()

with DAG("talecraft_pages_hostile", schedule=None, default_args={"retries": 0}):
    GenerateIllustrationOperator(task_id="script", prompt=HOSTILE.replace("{{", "{ {"))

    @task
    def absurd(reported, returned, *, ti):
        """Say anything at all where pages expect a picture."""
        ti.xcom_push(key="talecraft_report", value=reported)
        return returned

    facts = {"id": "\"><b id='x'>", "style": ["list"], "aspect_ratio": {"a": 1}, "prompt": "Absurd"}
    absurd.override(task_id="script_url")({"state": "drawn"}, {**facts, "image_url": "javascript:window.hacked=3"})
    absurd.override(task_id="data_url")({"state": "drawn"}, {**facts, "image_url": "data:text/html,<script>1</script>"})
    absurd.override(task_id="gone")({"state": "drawn"}, {**facts, "image_url": "http://127.0.0.1:9/gone.jpeg"})
    absurd.override(task_id="wrong_types")(
        {"state": {"a": 1}, "lines": "text", "credits": "many", "since": 3, "count": []},
        [None, 3, "text", [1], {"error": "<i>broken</i>", "index": "x"}, {"image_url": 5}],
    )
    absurd.override(task_id="huge")(
        {"state": "drawn", "prompt": "x" * 100_000, "lines": ["y" * 1000] * 3000},
        [{"index": 10**30, "error": "z" * 10_000}] * 1500,
    )
    absurd.override(task_id="only_text")("a report that is text", "a value that is text")

with DAG("talecraft_pages_slow", schedule=None, default_args={"retries": 0, "talecraft_conn_id": "talecraft_slow"}):
    GenerateIllustrationOperator(task_id="single", prompt="A snail posts a slow letter")
    GenerateIllustrationBatchOperator(
        task_id="batch", prompts=["A quick hare", "A snail posts a slow parcel"], max_concurrency=1
    )

with DAG("talecraft_pages_killed", schedule=None):
    # It is killed with its request on the way, and waits for its next try longer than any test.
    GenerateIllustrationOperator(
        task_id="killed",
        prompt="A kite cut from its string",
        retries=3,
        retry_delay=timedelta(hours=1),
        retry_policy=None,
    )

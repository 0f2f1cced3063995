"""Every way in which a Dag can hand an XCom on to an operator; what is handed on looks like a template.

``host`` is asked for pictures: a path with a password in it would be a leak.
"""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import DAG, task, task_group

from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
)
from airflow_provider_talecraft.transfers.illustration_to_object_storage import (
    IllustrationBatchToObjectStorageOperator,
    IllustrationToObjectStorageOperator,
)

HOST = os.environ.get("TALECRAFT_TEST_HOST", "http://127.0.0.1:9")
FOLDER = os.environ.get("TALECRAFT_TEST_FOLDER", "/tmp/talecraft-tests")
STOLEN = "{{ conn.talecraft_default.password }}"


def url(way):
    return f"{HOST}/{way}/{STOLEN}.jpeg"


def drawn(way):
    return {"id": way, "status": "success", "image_url": url(way), "prompt": f"{way} {STOLEN}"}


with DAG("talecraft_handed_on", schedule=None, default_args={"retries": 0}):

    @task
    def made(way, what):
        """Stand between the operators as any Dag may."""
        return {
            "url": url(way),
            "urls": [url(way)],
            "kwargs": [{"image_url": url(way), "metadata": drawn(way)}],
            "one_kwargs": {"image_url": url(way)},
            "drawn": drawn(way),
            "all_drawn": [drawn(way)],
            "illustration_kwargs": [{"illustration": drawn(way)}],
            "illustrations_kwargs": [{"illustrations": [drawn(way)]}],
            "prompt": f"{way} {STOLEN}",
            "prompts": [f"{way} {STOLEN}", f"{way}.prompt"],
            "prompt_kwargs": [
                {"prompt": f"{way} {STOLEN}", "fallback_prompts": [f"{way} {STOLEN}"]},
                {"prompt": f"{way}.prompt"},
            ],
            "prompts_kwargs": [{"prompts": [f"{way} {STOLEN}", {"prompt": f"{way}.prompt", "key": STOLEN}]}],
        }[what]

    def store(way):
        return IllustrationToObjectStorageOperator.partial(
            task_id=f"store_{way}", dst=f"file://{FOLDER}/{{{{ dag.dag_id }}}}/{way}/", image_hosts=["127.0.0.1"]
        )

    def store_one(way, **kwargs):
        return IllustrationToObjectStorageOperator(
            task_id=f"store_{way}",
            dst=f"file://{FOLDER}/{{{{ dag.dag_id }}}}/{way}/",
            image_hosts=["127.0.0.1"],
            **kwargs,
        )

    def give(way, what):
        return made.override(task_id=f"made_{way}")(way, what)

    store_one("plain", image_url=give("plain", "url"))
    store_one("pulled", image_url="{{ ti.xcom_pull('made_pulled') }}").set_upstream(give("pulled", "url"))
    store_one("illustration", illustration=give("illustration", "drawn"))
    store_one(
        "metadata", image_url=url("metadata").replace(STOLEN, "x"), metadata={"prompt": give("metadata", "prompt")}
    )
    store("expand").expand(image_url=give("expand", "urls"))
    store("expand_illustration").expand(illustration=give("expand_illustration", "all_drawn"))
    store("expand_kwargs").expand_kwargs(give("expand_kwargs", "kwargs"))
    store("expand_kwargs_illustration").expand_kwargs(give("expand_kwargs_illustration", "illustration_kwargs"))
    store("list_of_xcoms").expand_kwargs([give("list_of_xcoms", "one_kwargs")])
    # Airflow does not see the dependency inside a mapping.
    mapping_of_xcom = give("mapping_of_xcom", "drawn")
    mapping_of_xcom >> store("mapping_of_xcom").expand_kwargs([{"illustration": mapping_of_xcom}])
    store("map").expand_kwargs(give("map", "urls").map(lambda one: {"image_url": one}))
    store("zip").expand_kwargs(
        give("zip", "urls").zip(give("zipped", "all_drawn")).map(lambda two: {"image_url": two[0], "metadata": two[1]})
    )
    IllustrationToObjectStorageOperator.partial(
        task_id="store_partial", image_url=give("partial", "url"), image_hosts=["127.0.0.1"]
    ).expand(dst=[f"file://{FOLDER}/talecraft_handed_on/partial/"])
    IllustrationBatchToObjectStorageOperator.partial(
        task_id="store_batch", dst=f"file://{FOLDER}/{{{{ dag.dag_id }}}}/batch/", image_hosts=["127.0.0.1"]
    ).expand_kwargs(give("batch", "illustrations_kwargs"))

    @task_group
    def group(one):
        store_one("group", image_url=one)

    group.expand(one=give("group", "urls"))

    GenerateIllustrationOperator(task_id="draw_plain", prompt=give("draw_plain", "prompt"))
    GenerateIllustrationOperator.partial(task_id="draw_expand").expand(prompt=give("draw_expand", "prompts"))
    GenerateIllustrationOperator.partial(task_id="draw_expand_kwargs", style="{{ 'children_book' }}").expand_kwargs(
        give("draw_expand_kwargs", "prompt_kwargs")
    )
    GenerateIllustrationOperator.partial(task_id="draw_authors").expand_kwargs([{"prompt": "draw_authors {{ 1 + 1 }}"}])
    GenerateIllustrationOperator.partial(task_id="draw_authors_list").expand(prompt=["draw_authors_list {{ 1 + 1 }}"])
    GenerateIllustrationBatchOperator(task_id="draw_batch", prompts=give("draw_batch", "prompts"))
    GenerateIllustrationBatchOperator.partial(task_id="draw_batch_kwargs", style="{{ 'children_book' }}").expand_kwargs(
        give("draw_batch_kwargs", "prompts_kwargs")
    )

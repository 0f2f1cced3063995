"""A task for each state in which a worker can die, and one that is mapped; each draws into a folder of its own."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import DAG, Asset, task

from airflow_provider_talecraft.operators.illustration import IllustrationOperator

FOLDER = os.environ.get("TALECRAFT_TEST_FOLDER", "file:///tmp/talecraft-tests")
ONLY = os.environ.get("TALECRAFT_TEST_ONLY", "").split()
POINTS = ("asked", "sent", "answered", "fetched", "stored", "described", "asked_never_twice", "sent_never_twice")
PROMPTS = ["A fox {{ conn.talecraft_default.password }}", "An\x07 owl\nin " + "the deep " * 20 + "wood", "A cat"]

with DAG("talecraft_draw_once", schedule=None, default_args={"retries": 0}):
    for point in ONLY or POINTS:
        IllustrationOperator(
            task_id=point,
            prompt=f"A fox, killed when {point}.",
            dst=f"{FOLDER}/{point}/",
            name="cover",
            max_replays=0 if point.endswith("never_twice") else 1,
        )

with DAG("talecraft_mapped_once", schedule=None, default_args={"retries": 0}):

    @task
    def prompts():
        return PROMPTS

    IllustrationOperator.partial(
        task_id="draw",
        dst=f"{FOLDER}/mapped/",
        name="page-{{ ti.map_index }}",
        outlets=[Asset("x-talecraft://pictures")],
    ).expand(prompt=prompts())

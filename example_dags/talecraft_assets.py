"""Pictures as assets: one Dag draws and stores, another is run by that and builds a contact sheet of the latest.

``talecraft_assets_draw`` stores every page with an event of the asset ``talecraft_pictures``. The event carries the
picture's path, size and prompt, so ``talecraft_assets_sheet``, scheduled on the asset, asks nobody else.
"""

from __future__ import annotations

import os
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import DAG, Asset, ObjectStoragePath, Param, task

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

#: Where the examples store, unless a run says otherwise.
DESTINATION = os.environ.get("TALECRAFT_EXAMPLES", "file:///tmp/talecraft")

PICTURES = Asset("talecraft_pictures")
PAGES = [
    "A snail carries its house up a hill",
    "From the top it sees the sea",
    "It sails home on a leaf",
]
#: How many pictures the sheet shows.
LATEST = 12

SHEET = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Contact sheet</title>
<style>
 body {{ margin: 2rem; font: 1rem/1.4 Georgia, serif; color: #33302b; background: #faf6ee }}
 main {{ display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)) }}
 figure {{ margin: 0 }} img {{ width: 100%; border-radius: .4rem }}
</style>
<h1>The latest {count}</h1>
<main>
{figures}
</main>
</html>
"""
FIGURE = '<figure><img src="{file}" alt=""><figcaption>{prompt}<br>{width} x {height}</figcaption></figure>'

with DAG(
    dag_id="talecraft_assets_draw",
    schedule=None,
    params={
        "pages": Param(PAGES, type="array", items={"type": "string"}, minItems=1),
        "destination": DESTINATION,
    },
    max_active_tasks=2,
    tags=["talecraft", "example"],
    doc_md=__doc__,
):

    @task
    def pages(params: dict[str, Any]) -> list[str]:
        return list(params["pages"])

    draw = GenerateIllustrationOperator.partial(task_id="draw", aspect_ratio="4:3").expand(prompt=pages())

    IllustrationToObjectStorageOperator.partial(
        task_id="store",
        dst="{{ params.destination }}/{{ run_id }}/",
        outlets=[PICTURES],
    ).expand(illustration=draw.output)

with DAG(
    dag_id="talecraft_assets_sheet",
    schedule=[PICTURES],
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001  # as Airflow reads it, in UTC
    catchup=False,
    tags=["talecraft", "example"],
    doc_md=__doc__,
):

    @task(inlets=[PICTURES])
    def sheet(inlet_events: Any) -> str:
        """Write ``contact-sheet.html`` beside the folders of the runs and return its path."""
        latest = [event.extra for event in list(inlet_events[PICTURES])[-LATEST:]]
        folder = latest[-1]["path"].rsplit("/", 2)[0]
        figures = [
            FIGURE.format(
                file=quote(os.path.relpath(picture["path"], folder)),
                prompt=escape(picture["prompt"]),
                width=picture["width"],
                height=picture["height"],
            )
            for picture in latest
        ]
        page = ObjectStoragePath(f"{folder}/contact-sheet.html")
        page.write_bytes(SHEET.format(count=len(latest), figures="\n".join(figures)).encode())
        return str(page)

    sheet()

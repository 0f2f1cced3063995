"""A book of 24 pages from a JSON file: drawn by one task, shown to a person, and published if approved.

It costs 2 credits a page, once: run again, it pays for pages that are new or have changed only.
``talecraft_book_pages.json`` has a key and a prompt for each page. The step "approve" waits for somebody to answer
under Required Actions, with the pictures before their eyes; it needs Airflow 3.1.
"""

from __future__ import annotations

import json
import os
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import DAG, ObjectStoragePath, task
from airflow.providers.standard.operators.hitl import ApprovalOperator

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator

#: Where the examples store, unless a run says otherwise.
DESTINATION = os.environ.get("TALECRAFT_EXAMPLES", "file:///tmp/talecraft")

PAGES = Path(__file__).with_name("talecraft_book_pages.json")
FIGURE = '<p><img src="{file}" width="640" alt=""><br>{prompt}</p>'

with DAG(
    dag_id="talecraft_book",
    schedule=None,
    params={
        "title": "The Lighthouse Mouse",
        "pages_file": str(PAGES),
        "destination": f"{DESTINATION}/book",
    },
    tags=["talecraft", "example"],
    doc_md=__doc__,
):

    @task
    def pages(params: dict[str, Any]) -> list[dict[str, str]]:
        """Read the pages; anything that reads a bucket or a table does as well."""
        return list(json.loads(Path(params["pages_file"]).read_text(encoding="utf-8")))

    draw = GenerateIllustrationBatchOperator(
        task_id="draw",
        prompts=pages(),
        aspect_ratio="4:3",
        dst="{{ params.destination }}/",
    )

    @task
    def preview(drawn: list[dict[str, Any]]) -> str:
        """Return the pages as Markdown; the pictures are shown from where TaleCraft keeps them."""
        return "\n\n".join(f"![{page['key']}]({page['image_url']})" for page in drawn)

    approve = ApprovalOperator(
        task_id="approve",
        subject="Publish {{ params.title }}?",
        body="{{ ti.xcom_pull(task_ids='preview') }}",
    )

    @task
    def publish(drawn: list[dict[str, Any]], params: dict[str, Any]) -> str:
        """Write ``book.html`` beside the pictures and return its path."""
        figures = [
            FIGURE.format(file=quote(page["path"].rsplit("/", 1)[-1]), prompt=escape(page["prompt"])) for page in drawn
        ]
        title = escape(params["title"])
        html = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n<h1>{title}</h1>\n'
        book = ObjectStoragePath(f"{params['destination']}/book.html")
        book.write_bytes((html + "\n".join(figures) + "\n</html>\n").encode())
        return str(book)

    preview(draw.output) >> approve >> publish(draw.output)

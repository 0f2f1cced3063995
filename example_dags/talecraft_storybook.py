"""A story, one prompt a page: drawn by mapped tasks into the story's folder, with an index page at the end.

It costs 2 credits a page, once: run again, it pays for pages that are new or have changed only. Trigger it with a
configuration of your own, such as
``{"title": "Snow", "pages": ["A fox in the snow", "The fox finds a lantern"], "destination": "s3://my-bucket/snow"}``.
"""

from __future__ import annotations

import os
from html import escape
from typing import Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import DAG, ObjectStoragePath, Param, task

from airflow_provider_talecraft.operators.illustration import IllustrationOperator

#: Where the examples store, unless a run says otherwise.
DESTINATION = os.environ.get("TALECRAFT_EXAMPLES", "file:///tmp/talecraft")

PAGES = [
    "A little fox looks out of her den on the first morning of snow",
    "The fox follows a trail of stars through the dark forest",
    "She meets an old owl reading a book by lantern light",
    "Together they sail a paper boat across the moonlit lake",
    "小狐狸和猫头鹰在山顶看日出",
    "The fox sleeps in her den, and dreams of a red balloon",
]

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
 body {{ max-width: 62rem; margin: 2rem auto; padding: 0 1rem; font: 1.05rem/1.5 Georgia, serif; color: #33302b;
        background: #faf6ee }}
 main {{ display: grid; gap: 2rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)) }}
 figure {{ margin: 0 }} img {{ width: 100%; border-radius: .5rem; box-shadow: 0 2px 10px #0003 }}
 figcaption {{ margin-top: .5rem }}
</style>
<h1>{title}</h1>
<main>
{figures}
</main>
</html>
"""
FIGURE = '<figure><a href="{file}"><img src="{file}" alt=""></a><figcaption>{number}. {prompt}</figcaption></figure>'

with DAG(
    dag_id="talecraft_storybook",
    schedule=None,
    params={
        "title": "The Fox and the Lantern",
        "pages": Param(PAGES, type="array", items={"type": "string"}, minItems=1),
        "aspect_ratio": "4:3",
        "destination": f"{DESTINATION}/storybook",
    },
    # TaleCraft's reference names two requests at the same time as the usual limit.
    max_active_tasks=2,
    tags=["talecraft", "example"],
    doc_md=__doc__,
):

    @task
    def pages(params: dict[str, Any]) -> list[str]:
        return list(params["pages"])

    illustrate = IllustrationOperator.partial(
        task_id="illustrate",
        aspect_ratio="{{ params.aspect_ratio }}",
        dst="{{ params.destination }}/",
    ).expand(prompt=pages())

    @task
    def index(pictures: Any, params: dict[str, Any]) -> str:
        """Write ``index.html`` beside the pictures and return its path."""
        figures = [
            FIGURE.format(
                number=number,
                prompt=escape(picture["prompt"]),
                file=quote(picture["path"].rsplit("/", 1)[-1]),
            )
            for number, picture in enumerate(pictures, start=1)
        ]
        html = PAGE.format(title=escape(params["title"]), figures="\n".join(figures))
        page = ObjectStoragePath(f"{params['destination']}/index.html")
        page.write_bytes(html.encode())
        return str(page)

    index(illustrate.output)

"""The four contestants of ``benchmarks/batch.py``: the same prompts, a Dag, a connection and a pool each.

The pool has a slot for each request that may be on its way. A task's process defines only its own contestant: nobody
pays, in time or memory, for another's imports.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from airflow.sdk import DAG, get_parsing_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from requests import Response

#: What ``benchmarks/batch.py`` was asked for.
COUNT = int(os.environ.get("TALECRAFT_BENCHMARK_ILLUSTRATIONS", "100"))
IN_FLIGHT = int(os.environ.get("TALECRAFT_BENCHMARK_IN_FLIGHT", "32"))
PROMPTS = [f"Page {number:04} of a long book." for number in range(COUNT)]
#: More than any contestant can ask for: the concurrency is what binds.
UNBOUND = 60_000


def batch(name: str) -> None:
    """All of it in one task, which takes one slot of the pool for each request that it may have on its way."""
    from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator

    GenerateIllustrationBatchOperator(
        task_id="draw",
        pool=name,
        pool_slots=IN_FLIGHT,
        talecraft_conn_id=name,
        prompts=PROMPTS,
        max_concurrency=IN_FLIGHT,
        requests_per_minute=UNBOUND,
        manifest_threshold=COUNT,
    )


def mapped(name: str) -> None:
    """A task for each."""
    from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator

    GenerateIllustrationOperator.partial(task_id="draw", pool=name, talecraft_conn_id=name).expand(prompt=PROMPTS)


def http(name: str, *, deferrable: bool = False) -> None:
    """A stock task for each, as ``dags/money.py`` has it."""
    from airflow.providers.http.operators.http import HttpOperator

    HttpOperator.partial(
        task_id="draw",
        pool=name,
        http_conn_id=name,  # its extra is the headers: the key and the content type
        endpoint="/api/v1/generate",
        method="POST",
        response_check=succeeded,
        response_filter=image_url,
        extra_options={} if deferrable else {"timeout": 300},
        deferrable=deferrable,
        retries=3,
    ).expand(
        data=[json.dumps({"prompt": prompt, "style": "children_book", "aspect_ratio": "1:1"}) for prompt in PROMPTS]
    )


def http_deferrable(name: str) -> None:
    http(name, deferrable=True)


def succeeded(response: Response) -> bool:
    return bool(response.json()["code"] == 0)


def image_url(response: Response) -> Any:
    return response.json()["data"]["image_url"]


CONTESTANTS: dict[str, Callable[[str], None]] = {
    "batch": batch,
    "mapped": mapped,
    "http": http,
    "http_deferrable": http_deferrable,
}

running = get_parsing_context().dag_id
for contestant, define in CONTESTANTS.items():
    if running in {None, contestant}:
        # Beside the pool nothing is to bind.
        with DAG(contestant, schedule=None, max_active_tasks=COUNT):
            define(contestant)

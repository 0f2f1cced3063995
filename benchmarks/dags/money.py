"""The five contestants of ``benchmarks/money.py``: the same prompts, each with a connection and a pool of its own.

Each contestant imports what it needs where it is defined, and a task's process defines only its own contestant: nobody
pays, in time, for another's imports.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import DAG, Connection, get_parsing_context, task

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from requests import Response

#: Everybody waits this long where the choice is theirs, so that the run ends in minutes.
DELAY = timedelta(seconds=2)
RETRIES = {"retries": 3, "retry_delay": DELAY}


def once(task_id: str, prompts: Any, _: Any) -> None:
    """This package's operator with a place for each picture, with its defaults except for the delays."""
    from airflow_provider_talecraft.operators.illustration import IllustrationOperator

    IllustrationOperator.partial(
        **ours(task_id),
        dst=f"{os.environ['TALECRAFT_BENCHMARK_PICTURES']}/",
        image_hosts=["127.0.0.1"],  # the sandbox's
    ).expand(prompt=prompts)


def provider(task_id: str, prompts: Any, _: Any) -> None:
    """This package's operator that returns a URL, with its defaults except for the delays."""
    from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator

    GenerateIllustrationOperator.partial(**ours(task_id)).expand(prompt=prompts)


def ours(task_id: str) -> dict[str, Any]:
    from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy

    return {
        "task_id": task_id,
        "pool": task_id,
        "talecraft_conn_id": task_id,
        "retry_delay": DELAY,  # after a kill, which no policy sees
        "retry_policy": TaleCraftRetryPolicy(
            rate_limit_delay=DELAY,
            unavailable_delay=DELAY,
            generation_failed_delay=DELAY,
            outcome_unknown_delay=DELAY,
        ),
    }


def http(task_id: str, _: Any, bodies: Any, *, deferrable: bool = False) -> None:
    """HttpOperator as somebody writes it who has read its documentation and the service's."""
    from airflow.providers.http.operators.http import HttpOperator

    HttpOperator.partial(
        task_id=task_id,
        pool=task_id,
        http_conn_id=task_id,  # its extra is the headers: the key and the content type
        endpoint="/api/v1/generate",
        method="POST",
        response_check=succeeded,
        response_filter=image_url,
        # aiohttp, which makes the request in the triggerer, has the same limit of its own.
        extra_options={} if deferrable else {"timeout": 300},
        deferrable=deferrable,
        **RETRIES,
    ).expand(data=bodies)


def http_deferrable(task_id: str, prompts: Any, bodies: Any) -> None:
    http(task_id, prompts, bodies, deferrable=True)


def succeeded(response: Response) -> bool:
    """Errors arrive with HTTP status 200: the code decides."""
    return bool(response.json()["code"] == 0)


def image_url(response: Response) -> Any:
    return response.json()["data"]["image_url"]


def snippet(task_id: str, prompts: Any, _: Any) -> None:
    """The service's own Python example, which prints the URL; here it returns it, so that it is in XCom."""

    @task(task_id=task_id, pool=task_id, **RETRIES)
    def draw(prompt: str) -> Any:
        import requests

        connection = Connection.get(task_id)

        response = requests.post(  # noqa: S113  # the example has no timeout
            f"{connection.host}/api/v1/generate",
            headers={
                "X-API-Key": connection.password,
                "Content-Type": "application/json",
            },
            json={
                "prompt": prompt,
                "style": "children_book",
                "aspect_ratio": "1:1",
            },
        )

        result = response.json()

        if result["code"] != 0:
            raise Exception(result["message"])  # noqa: TRY002  # as in the example

        return result["data"]["image_url"]

    draw.expand(prompt=prompts)


CONTESTANTS: dict[str, Callable[[str, Any, Any], None]] = {
    "once": once,
    "provider": provider,
    "http": http,
    "http_deferrable": http_deferrable,
    "snippet": snippet,
}

with DAG("money", schedule=None):

    @task(task_id="prompts")
    def all_prompts(dag_run: Any = None) -> list[str]:
        return list(dag_run.conf["prompts"])

    @task(task_id="bodies")
    def all_bodies(prompts: list[str]) -> list[str]:
        return [json.dumps({"prompt": prompt, "style": "children_book", "aspect_ratio": "1:1"}) for prompt in prompts]

    asked_for = all_prompts()
    as_json = all_bodies(asked_for)
    running = get_parsing_context().task_id
    for contestant, define in CONTESTANTS.items():
        if running == contestant or running not in CONTESTANTS:
            define(contestant, asked_for, as_json)

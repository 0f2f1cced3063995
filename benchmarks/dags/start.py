"""The two contestants of ``benchmarks/start.py``: mapped tasks, each of which asks for one picture.

A task's process defines only its own contestant. It leaves a note of when it began, by the kernel's clock, before it
imports anything for the task.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

#: What ``benchmarks/start.py`` was asked for.
COUNT = int(os.environ.get("TALECRAFT_BENCHMARK_ILLUSTRATIONS", "8"))
BODY = {"prompt": "A page.", "style": "children_book", "aspect_ratio": "1:1"}


def age() -> float:
    """Return how many seconds ago this process began."""
    began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return float(Path("/proc/uptime").read_text().split()[0]) - began


def ours(name: str) -> None:
    from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator

    GenerateIllustrationOperator.partial(task_id="draw", talecraft_conn_id=name, pool=name).expand(
        prompt=[BODY["prompt"]] * COUNT
    )


def http(name: str) -> None:
    from airflow.providers.http.operators.http import HttpOperator

    HttpOperator.partial(
        task_id="draw", http_conn_id=name, pool=name, endpoint="/api/v1/generate", method="POST"
    ).expand(data=[json.dumps(BODY)] * COUNT)


running = get_parsing_context()
if running.task_id:
    note = Path(os.environ["TALECRAFT_BENCHMARK_NOTES"]) / f"{running.dag_id}-{os.getpid()}-{time.time_ns()}"
    note.write_text(repr(time.time() - age()))
for contestant, define in {"ours": ours, "http": http}.items():
    if running.dag_id in {None, contestant}:
        with DAG(contestant, schedule=None, max_active_tasks=COUNT):
            define(contestant)

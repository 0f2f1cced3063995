"""``python benchmarks/endurance.py``: 10,000 illustrations through one process, and what it holds.

Twice: as it is, and with a single heap for all threads (``MALLOC_ARENA_MAX=1``), which tells what Python holds from
what glibc's allocator keeps for each thread.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import threading
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import psutil
from flight import UNBOUND, context
from report import markdown, measured, result, say
from service import KEY, service

LOOKS = 10
READING = """\
What memory grows by from line to line, while the number of objects that Python holds does not, are free blocks in the
heaps that glibc keeps for each of the batch's threads: compare the column with one heap for all of them."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Many illustrations through one process.")
    parser.add_argument("--illustrations", type=int, default=10_000, metavar="N", help="in all (10,000)")
    parser.add_argument("--one", metavar="URL", help="draw in this process")
    options = parser.parse_args()
    if options.one:
        with redirect_stdout(sys.stderr):  # Airflow logs to it
            found = looks(options.illustrations)
        print(json.dumps({"looks": found}))
        return
    with tempfile.TemporaryDirectory(prefix="talecraft-endurance-") as home, service(0) as url:
        connection = json.dumps({"conn_type": "talecraft", "host": url, "password": KEY})
        environment = {"AIRFLOW_HOME": home, "NO_PROXY": "*", "no_proxy": "*", "AIRFLOW_CONN_SERVICE": connection}
        arguments = ["--illustrations", str(options.illustrations), "--one", url]
        found = []
        for heaps in ({}, {"MALLOC_ARENA_MAX": "1"}):
            found.append(measured(Path(__file__), *arguments, environment=environment | heaps)["looks"])
            say(f"  {heaps}: {found[-1][-1]}")
        rows = [
            [
                f"{one['drawn']:,}", f"{one['objects']:,}", f"{one['memory'] / 1e6:.1f} MB",
                f"{other['memory'] / 1e6:.1f} MB", one["descriptors"], one["threads"], one["connections"],
            ]
            for one, other in zip(*found, strict=True)
        ]  # fmt: skip
        head = [
            "illustrations",
            "Python objects",
            "memory (RSS)",
            "with one heap",
            "descriptors",
            "threads",
            "connections",
        ]
        result(markdown(head, rows))
        result(READING)


def looks(illustrations: int) -> list[dict[str, Any]]:
    """Draw in batches, one task after the other as a worker process would, and look at the process after each."""
    from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator

    process, drawn, found = psutil.Process(), 0, []
    for _ in range(LOOKS):
        count = illustrations // LOOKS
        operator = GenerateIllustrationBatchOperator(
            task_id="draw", talecraft_conn_id="service", prompts=[f"Page {drawn + n}" for n in range(count)],
            max_concurrency=8, requests_per_minute=UNBOUND, manifest_threshold=count,
        )  # fmt: skip
        drawn += len(operator.execute(context()))
        del operator
        gc.collect()
        found.append({
            "drawn": drawn, "objects": len(gc.get_objects()), "memory": process.memory_info().rss,
            "descriptors": process.num_fds(), "threads": threading.active_count(),
            "connections": len(process.net_connections()),
        })  # fmt: skip
    return found


if __name__ == "__main__":
    main()

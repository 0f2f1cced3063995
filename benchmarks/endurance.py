"""``python benchmarks/endurance.py``: 10,000 illustrations through one process, and what it holds."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
from contextlib import redirect_stdout

import psutil
from flight import UNBOUND, context
from report import markdown, result, say
from service import KEY, service

LOOKS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description="Many illustrations through one process.")
    parser.add_argument("--illustrations", type=int, default=10_000, metavar="N", help="in all (10,000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="talecraft-endurance-") as home, service(0) as url:
        os.environ |= {"AIRFLOW_HOME": home, "NO_PROXY": "*", "no_proxy": "*"}
        os.environ["AIRFLOW_CONN_SERVICE"] = f'{{"conn_type": "talecraft", "host": "{url}", "password": "{KEY}"}}'
        with redirect_stdout(sys.stderr):  # Airflow logs to it
            found = rows(options)
        result(markdown(["illustrations", "memory (RSS)", "descriptors", "threads", "connections"], found))


def rows(options: argparse.Namespace) -> list[list[str]]:
    """Draw in batches, one task after the other as a worker process would, and look at the process after each."""
    from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator

    process, drawn, found = psutil.Process(), 0, []
    for _ in range(LOOKS):
        count = options.illustrations // LOOKS
        operator = GenerateIllustrationBatchOperator(
            task_id="draw", talecraft_conn_id="service", prompts=[f"Page {drawn + n}" for n in range(count)],
            max_concurrency=8, requests_per_minute=UNBOUND, manifest_threshold=count,
        )  # fmt: skip
        drawn += len(operator.execute(context()))
        found.append([
            f"{drawn:,}", f"{process.memory_info().rss / 1e6:.1f} MB", str(process.num_fds()),
            str(threading.active_count()), str(len(process.net_connections())),
        ])  # fmt: skip
        say(f"  {found[-1]}")
    return found


if __name__ == "__main__":
    main()

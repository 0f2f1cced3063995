"""``python benchmarks/limits.py``: the documented limits, 10 requests a minute and 2 at a time, as counted.

The same number of illustrations twice, on one Airflow, each time over a sandbox of its own that refuses what is beyond
the limits: as one batch, and mapped in three Dags that share a pool of two slots.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests/integration"), str(HERE.parent / "tests"), str(HERE / "dags")]

from deployment import Deployment  # noqa: E402  # once the path is set
from report import markdown, result, say  # noqa: E402  # as above

from airflow_provider_talecraft.sandbox import Sandbox  # noqa: E402  # as above

#: The service's documented limits.
PER_MINUTE, AT_ONCE = 10, 2
MINUTE = 60.0
#: Seconds that a generation takes: 10 to 30, says the service. With less, the limit of a minute is what binds.
LATENCY = 8.0
DAGS = {"one_task": ("one_task",), "three_dags": ("first", "second", "third")}
CONTESTANTS = {
    "one_task": "one task: `GenerateIllustrationBatchOperator`",
    "three_dags": "three Dags, a pool of 2: `GenerateIllustrationOperator`, mapped",
}
KEY = "tc-not-a-key-outside-this-benchmark"
READING = """\
The batch knows the plan's limits from its connection and waits before it asks. A pool is a limit on what is on its way
and knows nothing of minutes: what comes too early is refused, costs nothing, and is asked again when the service said,
by the retry policy."""


def main() -> None:
    parser = argparse.ArgumentParser(description="The documented limits, as a service counts them.")
    parser.add_argument("--illustrations", type=int, default=60, metavar="N", help="for each of both ways (60)")
    options = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="talecraft-limits-")))
        (home / "dags").mkdir()
        (home / "dags/limits.py").write_text((HERE / "dags/limits.py").read_text())
        sandboxes = {
            name: stack.enter_context(
                Sandbox(latency=LATENCY, requests_per_minute=PER_MINUTE, max_concurrency=AT_ONCE, api_keys=(KEY,))
            )
            for name in CONTESTANTS
        }
        plan = {"requests_per_minute": PER_MINUTE, "max_concurrency": AT_ONCE}
        connections = {
            f"AIRFLOW_CONN_{name.upper()}": json.dumps(
                {"conn_type": "talecraft", "host": one.url, "password": KEY, "extra": plan}
            )
            for name, one in sandboxes.items()
        }
        settings = {"TALECRAFT_BENCHMARK_ILLUSTRATIONS": str(options.illustrations), **connections}
        airflow = stack.enter_context(Deployment(home, home / "dags", settings))
        airflow.api("/pools", {"name": "three_dags", "slots": AT_ONCE, "include_deferred": True})
        # Both at the same time: neither uses more than a fraction of a core.
        runs = {name: [(dag, airflow.trigger(dag)) for dag in DAGS[name]] for name in CONTESTANTS}
        limit = 300 + 2 * least(options.illustrations)
        for name, started in runs.items():
            for dag, run in started:
                state = airflow.until(lambda dag=dag, run=run: ended(airflow, dag, run), f"{dag} did not end", limit)
                say(f"  {name}: {dag} {state}")
        rows = [row(name, sandboxes[name].ledger(), options.illustrations) for name in CONTESTANTS]
    head = [
        "", "drawn", "charged", "refused (429)", "most in 60 s", "most at a time", "least possible", "time", "of it",
    ]  # fmt: skip
    result(f"{options.illustrations} illustrations of {LATENCY:g} s; {PER_MINUTE} a minute and {AT_ONCE} at a time:")
    result(markdown(head, rows))
    result(READING)


def ended(airflow: Deployment, dag: str, run: str) -> Any:
    time.sleep(1)
    state = airflow.api(f"/dags/{dag}/dagRuns/{run.replace('+', '%2B')}")["state"]
    return state if state in {"success", "failed"} else None


def row(name: str, ledger: dict[str, Any], count: int) -> list[object]:
    drawn = {charge["prompt"] for charge in ledger["charges"]}
    admitted = [request["time"] for request in ledger["requests"] if request["outcome"] != "refused"]
    refused = len(ledger["requests"]) - len(admitted)
    took = max(admitted) - min(admitted) + LATENCY
    return [
        CONTESTANTS[name], len(drawn), len(ledger["charges"]), refused, most(admitted, MINUTE), most(admitted, LATENCY),
        f"{least(count):.0f} s", f"{took:.0f} s", f"{least(count) / took:.0%}",
    ]  # fmt: skip


def most(times: list[float], seconds: float) -> int:
    """Return how many fall into any window of so many seconds."""
    return max(sum(first <= other < first + seconds for other in times) for first in times)


def least(count: int) -> float:
    """Return the seconds that so many take, if nothing but the limits and the service took time."""
    begun: list[float] = []
    for number in range(count):
        due = [0.0]
        if number >= AT_ONCE:
            due.append(begun[-AT_ONCE] + LATENCY)
        if number >= PER_MINUTE:
            due.append(begun[-PER_MINUTE] + MINUTE)
        begun.append(max(due))
    return begun[-1] + LATENCY


if __name__ == "__main__":
    os.environ.update(NO_PROXY="*", no_proxy="*")
    main()

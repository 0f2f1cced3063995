"""``python benchmarks/start.py``: from the start of a mapped task's process to its POST, on SQLite and on PostgreSQL.

Two Airflows with LocalExecutor stand side by side, one on each database, and take turns. First the tasks come one at a
time, so that nobody waits for a core; then as many at a time as the pool has slots, for the wall time of all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / folder) for folder in ("tests/integration", "tests")]

from database import postgresql  # noqa: E402  # once the path is set
from deployment import Deployment  # noqa: E402  # as above
from report import in_turns, markdown, result, say  # noqa: E402  # as above

from airflow_provider_talecraft.sandbox import Sandbox  # noqa: E402  # as above

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTESTANTS = {"ours": "`GenerateIllustrationOperator`", "http": "`HttpOperator`"}
DATABASES = ("SQLite", "PostgreSQL")
KEY = "tc-not-a-key-outside-this-benchmark"
#: Slots of the pool when they come together.
TOGETHER = 8


class Case:
    """One contestant on one database, and what was found of it."""

    def __init__(self, airflow: Deployment, name: str, sandbox: Sandbox, notes: Path) -> None:
        self.airflow, self.name, self.sandbox, self.notes = airflow, name, sandbox, notes
        #: Seconds from a process's start to its POST; and of whole runs, first request to last.
        self.starts: list[float] = []
        self.together: list[float] = []

    def run(self, slots: int) -> None:
        """Run the Dag with so many tasks at a time."""
        pool = {"pool": self.name, "slots": slots, "description": None, "include_deferred": True}
        self.airflow.api(f"/pools/{self.name}", pool, method="PATCH")
        self.sandbox.reset()
        for note in self.notes.glob(f"{self.name}-*"):
            note.unlink()
        _, state = self.airflow.run(self.name)
        asked = sorted(request["time"] for request in self.sandbox.ledger()["requests"])
        began = sorted(float(note.read_text()) for note in self.notes.glob(f"{self.name}-*"))
        if state != "success" or len(asked) != len(began):
            raise RuntimeError(f"{self.name}: {state}, {len(began)} processes, {len(asked)} requests")
        if slots == 1:
            self.starts += [request - process for process, request in zip(began, asked, strict=True)]
        else:
            self.together.append(asked[-1] - began[0])


def main() -> None:
    parser = argparse.ArgumentParser(description="From the start of a task's process to its POST.")
    parser.add_argument("--tasks", type=int, default=12, metavar="N", help="of each Dag (12)")
    parser.add_argument("--rounds", type=int, default=4, metavar="N", help="of all of them (4); medians are shown")
    options = parser.parse_args()
    with ExitStack() as stack:
        cases = dict(deployed(stack, options.tasks))
        keys = list(cases)
        places = in_turns([str(number) for number in range(len(keys))], options.rounds)
        for case in cases.values():
            case.run(TOGETHER)  # the first tasks of an Airflow take seconds
            case.together.clear()
        for number, place in places:
            case = cases[keys[int(place)]]
            case.run(1)
            case.run(TOGETHER)
            say(f"  {number + 1} {keys[int(place)]}: {median(case.starts):.2f} s, together {case.together[-1]:.1f} s")
    result(table(cases, options.tasks))
    result(reading(cases))


def deployed(stack: ExitStack, tasks: int) -> Iterator[tuple[tuple[str, str], Case]]:
    """Start an Airflow on each database, with a sandbox for each contestant."""
    for database in DATABASES:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="talecraft-start-")))
        notes = home / "notes"
        for folder in (home / "dags", notes):
            folder.mkdir()
        shutil.copy(HERE / "dags/start.py", home / "dags")
        sandboxes = {name: stack.enter_context(Sandbox(latency=0, api_keys=(KEY,))) for name in CONTESTANTS}
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        connections = {
            "ours": {"conn_type": "talecraft", "host": sandboxes["ours"].url, "password": KEY},
            "http": {"conn_type": "http", "host": sandboxes["http"].url, "extra": headers},
        }
        settings = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(given) for name, given in connections.items()}
        settings |= {
            "AIRFLOW__CORE__PARALLELISM": str(TOGETHER),
            "TALECRAFT_BENCHMARK_ILLUSTRATIONS": str(tasks),
            "TALECRAFT_BENCHMARK_NOTES": str(notes),
        }
        if database == "PostgreSQL":
            settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = stack.enter_context(postgresql())
        airflow = stack.enter_context(Deployment(home, home / "dags", settings))
        for name in CONTESTANTS:
            airflow.api("/pools", {"name": name, "slots": 1, "include_deferred": True})
            airflow.unpause(name)
            case = Case(airflow, name, sandboxes[name], notes)
            yield (database, name), case


def table(cases: dict[tuple[str, str], Case], tasks: int) -> str:
    rows = []
    for (database, name), case in cases.items():
        http = cases[database, "http"]
        rows.append([
            CONTESTANTS[name], database, f"{median(case.starts):.2f} s",
            f"{min(case.starts):.2f} to {max(case.starts):.2f} s", f"{median(case.starts) / median(http.starts):.2f}",
            f"{median(case.together):.1f} s", f"{median(case.together) / median(http.together):.2f}",
        ])  # fmt: skip
    together = f"{tasks} tasks, {TOGETHER} at a time"
    return markdown(["", "database", "start to POST", "all of them", "of the other", together, "of the other"], rows)


def reading(cases: dict[tuple[str, str], Case]) -> str:
    def ratio(name: str) -> str:
        return f"{median(cases['SQLite', name].together) / median(cases['PostgreSQL', name].together):.2f}"

    spread = max(max(case.together) / min(case.together) for case in cases.values())
    return (
        f"Together they take {ratio('ours')} (ours) and {ratio('http')} (`HttpOperator`) of the time on SQLite that "
        f"they take on PostgreSQL; between rounds of one and the same case it is up to {spread:.2f} times as long."
    )


if __name__ == "__main__":
    os.environ.update(NO_PROXY="*", no_proxy="*")
    main()

"""``python benchmarks/batch.py``: one task for a hundred illustrations, or a task for each; what the deployment uses.

One Airflow, and a sandbox for each contestant in a process of its own. What the contestants are is in
``dags/batch.py``, how their use is measured in ``usage.py``, and what it shows in ``README.md``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
# The tests' own Airflow is this one, too.
sys.path[:0] = [str(HERE.parent / folder) for folder in ("tests/integration", "tests")]

from database import postgresql  # noqa: E402  # once the path is set
from deployment import Deployment  # noqa: E402  # as above
from report import in_turns, markdown, result, say  # noqa: E402  # as above
from usage import Machine, Usage, used_by  # noqa: E402  # as above

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Each contestant's name, which is its Dag's, its pool and its connection; and what the table calls it.
CONTESTANTS = {
    "batch": "GenerateIllustrationBatchOperator",
    "mapped": "GenerateIllustrationOperator, mapped",
    "http": "HttpOperator, mapped",
    "http_deferrable": "HttpOperator, deferrable, mapped",
}
KEY = "tc-not-a-key-outside-this-benchmark"
#: Seconds that a generation takes.
LATENCY = 1.0
READING = (
    "CPU and memory (PSS: what is shared counts once) are those of the whole deployment; all of it is started anew for "
    "each. Elsewhere is the rest of the machine, but for the sandbox."
)
PROCESSES = ("api-server", "scheduler", "dag-processor", "triggerer")
#: Seconds of rest before a measurement, and of the measurement of an idle Airflow.
REST, IDLE = 10, 30
#: Seconds. What takes longer than this for a start and for each illustration hangs.
START_LIMIT, LIMIT_EACH = 300, 30


@dataclass
class Measurement:
    """One contestant's run.

    :param seconds: from the start of the Dag run to the end of its last task.
    :param cpu: CPU seconds of the whole deployment, from just before the run was asked for to its end.
    :param pss: the most bytes that the whole deployment had, what is shared counted once.
    :param rss: the same, what is shared counted for each process.
    :param processes: the most there were.
    :param at_once: the most requests that the sandbox had on their way at the same time.
    :param delivered: illustrations with a charge, and a task that succeeded.
    :param tries: of all tasks.
    :param elsewhere: CPU seconds of the machine meanwhile that were neither the deployment's, nor the sandbox's, nor
        this program's.
    """

    seconds: float
    cpu: float
    pss: int
    rss: int
    processes: int
    at_once: int
    delivered: int
    tries: int
    elsewhere: float


def main() -> None:
    options = arguments()
    say(f"{options.illustrations} illustrations of {LATENCY:g} s, at most {options.in_flight} on their way.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    found: dict[str, list[Measurement]] = {name: [] for name in options.only}
    with ExitStack() as stack:
        # On SQLite, with so many tasks at a time, the scheduler may end over a database that is locked.
        options.database = options.database or stack.enter_context(postgresql())
        home = options.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="talecraft-batch-")))
        (home / "dags").mkdir()
        shutil.copy(HERE / "dags/batch.py", home / "dags")  # without the other benchmarks' Dags
        sandboxes = {name: stack.enter_context(sandbox()) for name in CONTESTANTS}
        airflow = stack.enter_context(deployment(home, options, {name: url for name, (_, url) in sandboxes.items()}))
        resting = idle(airflow)
        for number, name in in_turns(options.only, options.rounds):
            begin_again(airflow)
            measurement = measure(airflow, name, sandboxes[name], options)
            found[name].append(measurement)
            say(f"  {number + 1} {name}: {json.dumps(asdict(measurement))}")
    database = options.database.partition(":")[0]
    result(f"{options.illustrations} of {LATENCY:g} s, at most {options.in_flight} on their way; database: {database}.")
    result(f"{resting} {READING}")
    result(table(found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="One task for many illustrations, or a task for each.")
    parser.add_argument("--illustrations", type=int, default=100, metavar="N", help="for each contestant (100)")
    parser.add_argument("--in-flight", type=int, default=32, metavar="N", help="requests on their way at most (32)")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="of all contestants (1); medians are shown")
    parser.add_argument("--database", metavar="URL", help="an empty database for Airflow (a PostgreSQL of its own)")
    parser.add_argument("--home", type=Path, help="an empty folder for Airflow's logs and database; kept")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), help="and in this order")
    options = parser.parse_args()
    if min(options.illustrations, options.in_flight, options.rounds) < 1:
        parser.error("1 or more of each")
    if options.home:
        options.home = options.home.resolve()
        options.home.mkdir(parents=True, exist_ok=True)
    return options


@contextmanager
def sandbox() -> Iterator[tuple[int, str]]:
    """One contestant's service; its process id and its URL."""
    command = ["-m", "airflow_provider_talecraft.sandbox", "--port", "0", "--latency", str(LATENCY), "--api-key", KEY]
    with subprocess.Popen(  # noqa: S603  # this Python and this package
        [sys.executable, *command, "--credits", "1000000"], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            greeting = process.stdout.readline() if process.stdout else ""
            yield process.pid, greeting.split()[-1]
        finally:
            process.terminate()


@contextmanager
def deployment(home: Path, options: argparse.Namespace, urls: dict[str, str]) -> Iterator[Deployment]:
    """Airflow with a triggerer, and a connection and a pool for each contestant; whatever happens, it ends."""
    talecraft = {"conn_type": "talecraft", "password": KEY}
    http = {"conn_type": "http", "extra": {"X-API-Key": KEY, "Content-Type": "application/json"}}
    settings = {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps({**(http if name.startswith("http") else talecraft), "host": url})
        for name, url in urls.items()
    } | {
        "AIRFLOW__CORE__PARALLELISM": str(options.in_flight),
        "TALECRAFT_BENCHMARK_ILLUSTRATIONS": str(options.illustrations),
        "TALECRAFT_BENCHMARK_IN_FLIGHT": str(options.in_flight),
        # The tests' Airflow looks for the dead every few seconds. These are Airflow's own numbers.
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "5",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "0",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "300",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "10",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "300",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
        # Unlike Airflow's own 5 s: see README.md, on tasks that resume within it.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": options.database,
    }
    airflow = Deployment(home, home / "dags", settings)
    try:
        airflow.__enter__()  # also what came up before a failure, or Ctrl-C, is ended below
        airflow.start("triggerer")
        for name in CONTESTANTS:
            # A deferred task keeps its slot: what is on its way is the same for everybody.
            airflow.api("/pools", {"name": name, "slots": options.in_flight, "include_deferred": True})
            airflow.unpause(name)
        yield airflow
    finally:
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        say("Ending Airflow …")
        airflow.__exit__()
        signal.signal(signal.SIGINT, interrupt)


def idle(airflow: Deployment) -> str:
    """Return what an Airflow uses that does nothing."""
    begin_again(airflow)
    usage = Usage(airflow.sessions)
    before = usage.cpu()
    time.sleep(IDLE)
    cpu, memory = usage.cpu() - before, usage.memory()
    return f"Idle it uses {cpu / IDLE:.2f} CPU seconds a second, and {megabytes(memory.pss)}."


def begin_again(airflow: Deployment) -> None:
    """Start all of Airflow's processes anew: workers and memory of the contestant before are gone."""
    for name in reversed(PROCESSES):
        airflow.stop(name)
    airflow.sessions.clear()
    for name in PROCESSES:
        airflow.start(name)
    airflow.until(lambda: healthy(airflow), "Airflow did not come up again", START_LIMIT)
    time.sleep(REST)


def healthy(airflow: Deployment) -> bool:
    try:
        with urlopen(f"{airflow.url}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310  # loopback
            health = json.load(answer)
    except OSError:
        return False
    # A heartbeat of a process that has ended counts for a while: let it be one of the new ones.
    latest = [health[name.replace("-", "_")][f"latest_{name.replace('-', '_')}_heartbeat"] for name in PROCESSES[1:]]
    began = min(_created(pid) for pid in airflow.sessions)
    return all(beat and datetime.fromisoformat(beat).timestamp() > began for beat in latest)


def _created(pid: int) -> float:
    import psutil

    return psutil.Process(pid).create_time()


def measure(airflow: Deployment, name: str, service: tuple[int, str], options: argparse.Namespace) -> Measurement:
    """Run a contestant's Dag to its end."""
    sandbox_pid, url = service
    charged_before = len(ledger(url)["charges"])
    machine, usage = Machine(), Usage(airflow.sessions)
    cpu, sandbox_cpu, own_cpu = usage.cpu(), used_by(sandbox_pid), time.process_time()
    with usage:
        run_id = airflow.api(f"/dags/{name}/dagRuns", {"logical_date": None})["dag_run_id"]
        run_path = f"/dags/{name}/dagRuns/{quote(run_id)}"

        def ended() -> dict[str, Any] | None:
            time.sleep(0.8)
            try:
                run = airflow.api(run_path)
            except TimeoutError:  # an API server that is busy with the contestant's tasks
                return None
            return run if run["state"] in {"success", "failed"} else None

        run = airflow.until(ended, f"{name} did not end", START_LIMIT + LIMIT_EACH * options.illustrations)
    cpu = usage.cpu() - cpu
    elsewhere = machine.busy() - cpu - (used_by(sandbox_pid) - sandbox_cpu) - (time.process_time() - own_cpu)
    tasks = task_instances(airflow, run_path)
    begun = datetime.fromisoformat(run["start_date"])
    last = max(datetime.fromisoformat(task["end_date"]) for task in tasks)
    book = ledger(url)
    succeeded = all(task["state"] == "success" for task in tasks)
    charges = {charge["prompt"] for charge in book["charges"][charged_before:]}
    peak = usage.peak
    return Measurement(
        seconds=round((last - begun).total_seconds(), 1),
        cpu=round(cpu, 1),
        pss=peak.pss,
        rss=peak.rss,
        processes=peak.processes,
        at_once=most_at_once(book, begun.timestamp()),
        delivered=len(charges) if succeeded else 0,
        tries=sum(task["try_number"] for task in tasks),
        elsewhere=round(elsewhere, 1),
    )


def task_instances(airflow: Deployment, run_path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = airflow.api(f"{run_path}/taskInstances?limit=100&offset={len(found)}&order_by=id")
        found += answer["task_instances"]
        if not answer["task_instances"] or len(found) >= answer["total_entries"]:
            return found


def ledger(url: str) -> dict[str, Any]:
    with urlopen(f"{url}/sandbox/ledger", timeout=10) as answer:  # noqa: S310  # loopback
        book: dict[str, Any] = json.load(answer)
    return book


def most_at_once(book: dict[str, Any], since: float) -> int:
    """Return how many requests were on their way at the same time; each takes LATENCY, here."""
    events = [
        event
        for request in book["requests"]
        if request["time"] >= since
        for event in ((request["time"], 1), (request["time"] + LATENCY, -1))
    ]
    most = now = 0
    for _, change in sorted(events):
        now += change
        most = max(most, now)
    return most


def table(found: dict[str, list[Measurement]]) -> str:
    """Return the medians, a row for each contestant; in brackets, how many times the first one's."""

    def middle(name: str, field: str) -> float:
        return median(getattr(measurement, field) for measurement in found[name])

    def cell(name: str, field: str, text: str) -> str:
        first = middle(next(iter(found)), field)
        return f"{text} ({middle(name, field) / first:.1f} x)" if first else text

    head = [
        "", "wall time", "CPU", "peak memory (PSS)", "peak RSS", "processes", "on their way", "delivered", "tries",
        "CPU elsewhere",
    ]  # fmt: skip
    rows = [
        [
            CONTESTANTS[name],
            cell(name, "seconds", f"{middle(name, 'seconds'):.1f} s"),
            cell(name, "cpu", f"{middle(name, 'cpu'):.1f} s"),
            cell(name, "pss", megabytes(middle(name, "pss"))),
            cell(name, "rss", megabytes(middle(name, "rss"))),
            *(f"{middle(name, field):.0f}" for field in ("processes", "at_once", "delivered", "tries")),
            f"{middle(name, 'elsewhere'):.1f} s",
        ]
        for name in found
    ]
    return markdown(head, rows)


def megabytes(count: float) -> str:
    return f"{count / 1e6:,.0f} MB"


if __name__ == "__main__":
    main()

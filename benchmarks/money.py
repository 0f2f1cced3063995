"""``python benchmarks/money.py``: five ways to draw 100 illustrations through the same bad luck, and what each paid.

Two runs of one Dag on one Airflow, and a sandbox for each contestant. What the contestants are is in
``dags/money.py``, what goes wrong in ``mix.py``, who is killed in ``killer.py``, what is counted in ``results.py``, and
why in ``README.md``.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
# The tests' own Airflow is this one, too.
sys.path[:0] = [str(HERE.parent / folder) for folder in ("tests/integration", "tests")]

from deployment import Deployment  # noqa: E402  # once the path is set
from killer import Killer  # noqa: E402  # as above
from mix import mix  # noqa: E402  # as above
from report import result, say  # noqa: E402  # as above
from results import collect, table, table_of_faults, table_of_second  # noqa: E402  # as above

from airflow_provider_talecraft.sandbox import Sandbox  # noqa: E402  # as above

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mix import Illustration

DAG_ID = "money"
#: Each contestant's name, which is its task id, its pool and its connection; and what the tables call it.
CONTESTANTS = {
    "once": "IllustrationOperator",
    "provider": "GenerateIllustrationOperator",
    "http": "HttpOperator",
    "http_deferrable": "HttpOperator, deferrable",
    "snippet": "the service's snippet in a @task",
}
#: Its requests are made by the triggerer.
DEFERRED = "http_deferrable"
#: The service's documented limit: two at the same time.
POOL_SLOTS = 2
#: Seconds that an undisturbed generation takes; the service takes 10 to 30.
LATENCY = 3.0
CREDITS = 1_000_000
KEY = "tc-not-a-key-outside-this-benchmark"
#: Seconds between two looks at the run, and between two lines about it.
LOOK, REPORT = 2, 15
#: Seconds. What takes longer than this for a start and for each illustration hangs.
START_LIMIT, LIMIT_EACH = 900, 60
SETTINGS = {
    "AIRFLOW__CORE__PARALLELISM": "6",
    # A worker reports that a task has deferred itself up to this many seconds late, 5 as a rule. If the trigger is done
    # by then and the task runs again, Airflow 3.3.2 takes that report for the end of it. Pictures that take 10 s never
    # meet this; those of LATENCY should not either.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # A killed triggerer is missed after 10 s instead of 30, so that the run is shorter.
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
}
LATE_REPORT = re.compile(rf"reported that the task instance <TaskInstance: {DAG_ID}\.(\w+) ")


def main() -> None:
    options = arguments()
    book = mix(options.seed, options.illustrations)
    say(f"Seed {options.seed}; {len(book)} illustrations for each of {len(CONTESTANTS)} contestants.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        home = options.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="talecraft-money-")))
        sandboxes = {name: stack.enter_context(sandbox(book)) for name in CONTESTANTS}
        airflow = stack.enter_context(deployment(home, sandboxes))
        killer = Killer(airflow, DAG_ID, sandboxes, book, deferred=[DEFERRED])
        run_id = play(airflow, sandboxes, book, killer)
        accounts = collect(airflow, DAG_ID, run_id, ledgers_of(sandboxes), book)
        say("The same Dag, run again. What was scripted to happen once has happened, and nobody is killed.")
        run_id = play(airflow, sandboxes, book, killer)
        second = collect(airflow, DAG_ID, run_id, ledgers_of(sandboxes), book)
        mistaken = Counter(LATE_REPORT.findall((home / "scheduler.log").read_text()))
    if killer.left:
        raise RuntimeError(f"not killed as the seed says: {killer.left}")
    result(f"{len(book)} illustrations for each, seed {options.seed}. The first run:")
    result(table(accounts, CONTESTANTS))
    result(table_of_faults(accounts, CONTESTANTS))
    result('The same Dag again, with nothing going wrong; "paid again" are charges for what the first had delivered:')
    result(table_of_second(accounts, second, CONTESTANTS))
    kills = ", ".join(f"{title} {killer.kills[name]}" for name, title in CONTESTANTS.items())
    result(
        f"First answers that are charged and lost, whoever asks: {sum(page.kind.lost for page in book)}. "
        f"Killed: {kills}; other requests that died with the triggerer: {killer.bystanders[DEFERRED]}. "
        # Killed tasks are reported like that, too, and rightly: they did not end themselves.
        f"Resumed tasks that Airflow ended by mistake, over a late report: {mistaken[DEFERRED]}."
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Five ways to draw illustrations, and what each of them pays.")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="decides faults and kills")
    parser.add_argument("--illustrations", type=int, default=100, metavar="N", help="for each contestant (100)")
    parser.add_argument("--home", type=Path, help="an empty folder for Airflow's logs and database; kept")
    options = parser.parse_args()
    if options.illustrations < 1:
        parser.error("--illustrations: 1 or more")
    if options.home:
        options.home = options.home.resolve()
        options.home.mkdir(parents=True, exist_ok=True)
    return options


def ledgers_of(sandboxes: Mapping[str, Sandbox]) -> dict[str, dict[str, Any]]:
    return {name: sandbox.ledger() for name, sandbox in sandboxes.items()}


@contextmanager
def sandbox(book: list[Illustration]) -> Iterator[Sandbox]:
    """One contestant's service, with everybody's faults."""
    with Sandbox(latency=LATENCY, credits=CREDITS, api_keys=(KEY,)) as service:
        service.faults(fault for page in book for fault in page.faults)
        yield service


@contextmanager
def deployment(home: Path, sandboxes: Mapping[str, Sandbox]) -> Iterator[Deployment]:
    """Airflow with a triggerer, and a connection and a pool for each contestant; whatever happens, it ends."""
    talecraft = {"conn_type": "talecraft", "password": KEY}
    http = {"conn_type": "http", "extra": {"X-API-Key": KEY, "Content-Type": "application/json"}}
    connections = {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps({**(http if name.startswith("http") else talecraft), "host": s.url})
        for name, s in sandboxes.items()
    }
    pictures = {"TALECRAFT_BENCHMARK_PICTURES": (home / "pictures").as_uri()}
    airflow = Deployment(home, HERE / "dags", {**SETTINGS, **connections, **pictures})
    try:
        airflow.__enter__()  # also what came up before a failure, or Ctrl-C, is ended below
        airflow.start("triggerer")
        for name in sandboxes:
            # A deferred task keeps its slot: two requests at a time, for everybody.
            airflow.api("/pools", {"name": name, "slots": POOL_SLOTS, "include_deferred": True})
        yield airflow
    finally:
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        say("Ending Airflow …")
        airflow.__exit__()
        signal.signal(signal.SIGINT, interrupt)


def play(airflow: Deployment, sandboxes: Mapping[str, Sandbox], book: list[Illustration], killer: Killer) -> str:
    """Run the Dag to its end, killing on the way; return the run's id when no request is on its way any more."""
    started = looked = told = time.monotonic()
    run_id = airflow.trigger(DAG_ID, {"prompts": [page.prompt for page in book]})

    def ended() -> bool:
        nonlocal looked, told
        killer.look(run_id)
        now = time.monotonic()
        if now - told > REPORT:
            told = now
            charged = ", ".join(f"{name} {s.ledger()['spent'] // 2}" for name, s in sandboxes.items())
            say(f"  {now - started:4.0f} s, charged so far: {charged}")
        if now - looked < LOOK:
            return False
        looked = now
        return airflow.api(f"/dags/{DAG_ID}/dagRuns/{quote(run_id)}")["state"] in {"success", "failed"}

    def quiet() -> bool:
        requests = [request for s in sandboxes.values() for request in s.ledger()["requests"]]
        return not any(request["outcome"] == "in progress" for request in requests)

    limit = START_LIMIT + LIMIT_EACH * len(book)
    airflow.until(ended, "the run did not end", limit)
    airflow.until(quiet, "a request did not end", limit)
    return run_id


if __name__ == "__main__":
    main()

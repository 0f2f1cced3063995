"""``python benchmarks/faults.py``: what seven faults of the deployment cost, while it draws a hundred illustrations.

As root, after ``scripts/engine.sh``. The deployment is docker-compose.yaml's, in an engine of this run's own
(tests/engine); the Dag is ``dags/faults.py``. One fault follows the other as soon as all that it met has gone on.
At the end it is checked that all pictures are stored, and that nothing was charged beyond one charge for each, but
for requests whose answer a fault has lost; each was sent again once at most.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / folder) for folder in ("tests/integration", "tests/engine", "tests")]
sys.path.insert(0, str(HERE / "dags"))

from composed import USER, Composed, keys  # noqa: E402  # once the path is set
from engine import Engine, complaint  # noqa: E402  # as above
from verdict import COUNTS, PICTURE, judge, table  # noqa: E402  # as above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DAG_ID = "faults"
POOL = "faults"
#: Requests at a time: two of the pool, two of the batch.
ALL_OF_THEM = 4
#: Seconds after which a request counts as lost. The connection's default of 300 would make the run longer.
READ_TIMEOUT = 60
CONNECTION = (
    "AIRFLOW_CONN_TALECRAFT_DEFAULT=talecraft://:sandbox-key@http%3A%2F%2Fsandbox.localhost:8765/"
    f"?allow_http=true&read_timeout={READ_TIMEOUT}\n"
)
#: The store's disk, in MiB; SeaweedFS takes nothing more when less than 100 are free.
DISK = 512
SMALL_DISK = f'volumes: {{pictures: {{driver_opts: {{type: tmpfs, device: tmpfs, o: "size={DISK}m"}}}}}}\n'
GONE, FULL = 30, 60
LOOK = 2
#: Seconds. What takes longer hangs.
WORK_LIMIT, SETTLE_LIMIT, RUN_LIMIT = 60, 900, 3600
LEDGER = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8765/sandbox/ledger').read().decode())"
SLOW = f"""
import json, urllib.request
fault = json.dumps({{"delay_before_charge": {PICTURE - 1}, "times": None}}).encode()
urllib.request.urlopen(urllib.request.Request(
    "http://127.0.0.1:8765/sandbox/faults", fault, {{"Content-Type": "application/json"}}))
"""


@dataclass
class Fault:
    """One fault, and what was seen of it.

    :param name: what is done.
    :param act: does it, and returns when it is over.
    """

    name: str
    act: Callable[[], None]
    begin: float = 0.0
    end: float = 0.0
    settled: float = 0.0
    met: list[tuple[str, int]] = field(default_factory=list)
    on_their_way: list[str] = field(default_factory=list)
    lost_tries: list[tuple[str, int, float]] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    stored: int = 0


class Run:
    """The deployment, its run of the Dag, and what is known about both."""

    def __init__(self, composed: Composed) -> None:
        self.composed = composed
        self.began = time.time()
        self.run_id = ""
        self.faults = [
            Fault("Redis is restarted", lambda: self.restart("redis")),
            Fault("PostgreSQL is restarted", lambda: self.restart("postgres")),
            Fault("the API server is restarted", lambda: self.restart("api-server")),
            Fault("the scheduler is killed (SIGKILL)", lambda: self.kill("scheduler")),
            Fault(f"the store's disk is full for {FULL} s", self.fill),
            Fault("the worker is killed (SIGKILL)", lambda: self.kill("worker")),
            Fault(f"the sandbox is cut off from the network for {GONE} s", self.cut_off),
        ]

    def say(self, text: str) -> None:
        print(f"{time.time() - self.began:7.1f} s  {text}", flush=True)

    def start(self) -> None:
        self.composed.compose("exec", "-T", "sandbox", "python", "-c", SLOW)
        body = {"name": POOL, "slots": 2, "include_deferred": False}
        self.composed.api("/pools", body)
        self.began = time.time()
        self.run_id = self.composed.trigger(DAG_ID)

    def play(self) -> None:
        """Play the faults one after the other, and wait for the end of the run."""
        self.wait(lambda: self.stored() >= len(COUNTS), "nothing is stored")
        for fault in self.faults:
            self.one(fault)
        self.wait(lambda: self.state() in {"success", "failed"}, "the run did not end", RUN_LIMIT)
        self.say(f"The run: {self.state()}")

    def one(self, fault: Fault) -> None:
        self.wait_for_work()
        fault.met = [name for name, ti in self.instances().items() if ti["state"] == "running"]
        fault.on_their_way = self.on_their_way()
        fault.begin = time.time()
        self.say(f"{fault.name}; {len(fault.met)} tasks running, {len(fault.on_their_way)} requests on their way")
        fault.act()
        self.wait(self.composed.is_healthy, f"not healthy after: {fault.name}")
        fault.end = time.time()
        self.say(f"healthy again after {fault.end - fault.begin:.0f} s")
        batch = self.stored("batch")
        self.wait(lambda: self.has_gone_on(fault, batch), f"not gone on: {fault.name}")
        fault.settled, fault.stored = time.time(), self.stored()
        self.say(f"gone on after {fault.settled - fault.begin:.0f} s; {fault.stored} pictures stored")

    def wait_for_work(self) -> None:
        """Wait until everybody is asking, but not for long: the fault before may have left somebody without work."""
        deadline = time.monotonic() + WORK_LIMIT
        while time.monotonic() < deadline and len(self.on_their_way()) < ALL_OF_THEM:
            time.sleep(LOOK)

    def has_gone_on(self, fault: Fault, batch: int) -> bool:
        """Return whether every task that it met has ended well, and the batch has stored something since."""
        instances = self.instances()
        mapped = all(instances[name]["state"] == "success" for name in fault.met if name[0] != "batch")
        return mapped and (instances["batch", -1]["state"] == "success" or self.stored("batch") > batch + 1)

    # What is done.

    def restart(self, service: str) -> None:
        self.composed.compose("restart", service)

    def kill(self, service: str) -> None:
        """Kill the first process of its container, and so all of them; the engine starts it again."""
        before = self.composed.container(service)
        self.composed.engine.kill(before["State"]["Pid"])
        self.wait(
            lambda: (
                (now := self.composed.container(service)["State"])["Running"]
                and now["StartedAt"] != before["State"]["StartedAt"]
            ),
            f"{service} did not come back",
        )

    def cut_off(self) -> None:
        name = self.composed.container("sandbox")["Id"]
        self.composed.engine.run("docker", "network", "disconnect", "clone_default", name)
        time.sleep(GONE)
        aliases = ["--alias", "sandbox", "--alias", "sandbox.localhost"]
        self.composed.engine.run("docker", "network", "connect", *aliases, "clone_default", name)

    def fill(self) -> None:
        fill = "dd if=/dev/zero of=/data/full bs=1M 2>/dev/null || true; df --output=avail /data"
        left = self.composed.compose("exec", "-T", "--user", "seaweed", "store", "sh", "-c", fill)
        self.say(f"free on the store's disk: {left.split()[-1]} KiB")
        time.sleep(FULL)
        self.composed.compose("exec", "-T", "--user", "seaweed", "store", "rm", "/data/full")

    # What is seen.

    def wait(self, condition: Callable[[], Any], message: str, limit: float = SETTLE_LIMIT) -> None:
        """Wait until *condition* returns something true. What cannot be asked now is asked again."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            with suppress(OSError, AssertionError, ValueError):
                if condition():
                    return
            time.sleep(LOOK)
        raise SystemExit(f"{message}; run {self.run_id}, health {self.composed.health()}")

    def state(self) -> str:
        return str(self.composed.api(f"/dags/{DAG_ID}/dagRuns/{quote(self.run_id)}")["state"])

    def instances(self) -> dict[tuple[str, int], dict[str, Any]]:
        return dict(self.composed.task_instances(DAG_ID, self.run_id))

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = json.loads(self.composed.compose("exec", "-T", "sandbox", "python", "-c", LEDGER))
        return ledger

    def on_their_way(self) -> list[str]:
        return [each["prompt"] for each in self.ledger()["requests"] if each["outcome"] == "in progress"]

    def stored(self, way: str = "") -> int:
        return sum(key.endswith(".jpeg") for key in keys(f"faults/{way}"))

    def tries(self) -> Iterable[tuple[str, int, dict[str, Any]]]:
        """Return all tries of all tasks but those that succeeded at once."""
        for (task_id, index), ti in self.instances().items():
            if ti["try_number"] > 1 or ti["state"] != "success":
                mapped = "" if index < 0 else f"/{index}"
                path = f"/dags/{DAG_ID}/dagRuns/{quote(self.run_id)}/taskInstances/{task_id}{mapped}/tries"
                for one in self.composed.api(path)["task_instances"]:
                    yield task_id, index, one


def deploy(engine: Engine) -> Composed:
    """Start the file's deployment, with the Dag and a small disk for the store."""
    composed = Composed(engine)
    composed.check_out()
    (composed.clone / ".env").write_text(CONNECTION)
    (composed.clone / "docker-compose.override.yaml").write_text(SMALL_DISK)
    shutil.copy(HERE / "dags" / "faults.py", composed.clone / "example_dags")
    composed.up()
    return composed


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    if reason := complaint():
        raise SystemExit(reason)
    with Engine(USER) as engine:
        engine.build_stand_ins()
        raise SystemExit(observe(engine))


def observe(engine: Engine) -> int:
    composed = deploy(engine)
    with engine.network():
        composed.log_in()
        run = Run(composed)
        run.start()
        run.play()
        took = time.time() - run.began
        wrong = judge(run)
        totals = f"{run.stored()} pictures stored after {took:.0f} s; {len(run.ledger()['charges'])} charges"
    print(f"\n{datetime.now(timezone.utc):%Y-%m-%d}\n\n{table(run)}\n\n{totals}\n")
    for sentence in wrong:
        print(f"Against the rules: {sentence}")
    return bool(wrong)


if __name__ == "__main__":
    main()

"""``python benchmarks/flight.py``: many requests on their way at a time, in one process; wall time and CPU.

The batch operator's own ``execute`` with all it does (a record for each picture, the pace, the output), beside a thread
pool as somebody writes it by hand: ``requests.post``, no record, no pace, no check.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from report import in_turns, markdown, measured, middle, result, say
from service import KEY, certificate, service

CONTESTANTS = {"batch": "`GenerateIllustrationBatchOperator`", "pool": "a hand-written thread pool"}
#: More than can be asked for: what is on its way is what binds.
UNBOUND = 60_000


@dataclass(frozen=True)
class Case:
    """So many requests, so many at a time, over a service that takes so many seconds.

    :param aim: for the table.
    """

    count: int
    at_once: int
    latency: float
    tls: bool
    aim: str

    @property
    def ideal(self) -> float:
        """Seconds, if nothing but the service took time."""
        return -(-self.count // self.at_once) * self.latency

    def __str__(self) -> str:
        return f"{self.count} of {self.latency:g} s, {self.at_once} at a time{', TLS' if self.tls else ''}"


CASES = {
    "long": Case(256, 64, 1.0, tls=False, aim="97 % of the ideal"),
    "short": Case(640, 64, 0.05, tls=True, aim="60 % of the ideal"),
    "hundred": Case(100, 32, 1.0, tls=False, aim="1.05 of the pool"),
}


WHY = """\
Where an aim of the ideal is missed, the process's one core is what binds: all 64 answers come at the same moment, and
what follows each (the answer is checked, two records are written, the next request is made) takes milliseconds of CPU
one after the other. Over TLS it is the handshake, one for each request: a connection that is kept may be closed by the
server just as a request is sent on it, and then nobody knows whether it was charged; so a paid request never goes over
one. At 10 to 30 s a picture neither is seen."""


class Store:
    """A task state store that takes no time: Airflow's own, over its API server, is in ``batch.py``."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    def get(self, key: str) -> Any:
        return json.loads(self.rows[key]) if key in self.rows else None

    def set(self, key: str, value: Any, *, retention: Any) -> None:  # noqa: ARG002  # Airflow's signature
        self.rows[key] = json.dumps(value)


def batch(case: Case, url: str) -> int:
    """Draw them by the operator, as a task does."""
    from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator

    os.environ["AIRFLOW_CONN_SERVICE"] = json.dumps({"conn_type": "talecraft", "host": url, "password": KEY})
    operator = GenerateIllustrationBatchOperator(
        task_id="draw", talecraft_conn_id="service", prompts=prompts(case), max_concurrency=case.at_once,
        requests_per_minute=UNBOUND, manifest_threshold=case.count,
    )  # fmt: skip
    return len(operator.execute(context()))


def context() -> Any:
    ti = SimpleNamespace(
        dag_id="flight", task_id="draw", run_id="benchmark", map_index=-1, max_tries=3, try_number=1,
        xcom_push=lambda **_: None,
    )  # fmt: skip
    return {"ti": ti, "task_state_store": Store(), "outlet_events": {}}


def pool(case: Case, url: str) -> int:
    """Draw them as somebody does who has the service's example and an hour."""
    import requests

    def draw(prompt: str) -> str:
        answer = requests.post(
            f"{url}/api/v1/generate",
            headers={"X-API-Key": KEY, "Content-Type": "application/json"},
            json={"prompt": prompt, "style": "children_book", "aspect_ratio": "1:1"},
            timeout=300,
        ).json()
        if answer["code"] != 0:
            raise RuntimeError(answer["message"])
        return str(answer["data"]["image_url"])

    with ThreadPoolExecutor(case.at_once) as threads:
        return len(list(threads.map(draw, prompts(case))))


def prompts(case: Case) -> list[str]:
    return [f"Page {number:04} of a long book." for number in range(case.count)]


def take(name: str, case: Case, url: str) -> None:
    import airflow.sdk
    import requests

    assert airflow.sdk, requests  # noqa: S101  # imports are not what is measured
    draw = {"batch": batch, "pool": pool}[name]
    draw(Case(1, 1, case.latency, tls=case.tls, aim=""), url)  # imports, the CA bundle, the first connection
    began, used = time.perf_counter(), time.process_time()
    delivered = draw(case, url)
    took = {"wall": time.perf_counter() - began, "cpu": time.process_time() - used}
    assert delivered == case.count  # noqa: S101  # else it is no measurement
    print(json.dumps(took))


def main() -> None:
    parser = argparse.ArgumentParser(description="Many requests on their way at a time.")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of both contestants (5); medians are shown")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="which (all)")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "CASE", "URL"), help="draw in this process")
    options = parser.parse_args()
    if options.one:
        name, case, url = options.one
        take(name, CASES[case], url)
        return
    rows = []
    with tempfile.TemporaryDirectory(prefix="talecraft-flight-") as home:
        own, bundle = certificate(Path(home))
        environment = {"AIRFLOW_HOME": home, "REQUESTS_CA_BUNDLE": str(bundle), "NO_PROXY": "*", "no_proxy": "*"}
        for key in options.cases:
            case, found = CASES[key], defaultdict(list)
            with service(case.latency, own if case.tls else None) as url:
                for number, name in in_turns(list(CONTESTANTS), options.rounds):
                    found[name].append(measured(Path(__file__), "--one", name, key, url, environment=environment))
                    say(f"  {key} {number + 1} {name}: {found[name][-1]}")
            for name, title in CONTESTANTS.items():
                wall, cpu = middle(found[name], "wall"), middle(found[name], "cpu")
                rows.append([
                    f"{case}: {title}", f"{case.ideal:.1f} s", f"{wall:.2f} s", f"{case.ideal / wall:.0%}",
                    f"{wall / middle(found['pool'], 'wall'):.2f}", f"{1000 * cpu / case.count:.1f} ms",
                    f"{cpu / middle(found['pool'], 'cpu'):.2f}", case.aim if name == "batch" else "",
                ])  # fmt: skip
    head = ["", "ideal", "wall time", "of the ideal", "of the pool", "CPU a picture", "of the pool's", "aim"]
    result(markdown(head, rows))
    result(WHY)


if __name__ == "__main__":
    main()

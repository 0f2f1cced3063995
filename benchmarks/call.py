"""``python benchmarks/call.py``: one request at a service that answers at once, plain and over TLS; its CPU.

Each contestant has a process of its own in each round. Its first call is one number, the median of the later ones
another.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from report import in_turns, markdown, measured, middle, result, say
from service import KEY, certificate, service

if TYPE_CHECKING:
    from collections.abc import Callable

CONTESTANTS = {
    "snippet": "the service's snippet, `requests.post`",
    "client": "`TaleCraftClient.generate`",
    "hook": "`TaleCraftHook.generate`, outside a task",
    "http": "`HttpHook.run`",
}
WHY = """\
Where they are missed: ours takes some tenths of a millisecond of CPU more, of a request that takes 10 to 30 s. In a
profile they are a thread that ends the request as a whole (a socket's timeout is for one read), a handle of each
connection for it, and a request and a connection made apart from all others, so that it is known whether anything was
sent. The first call also compiles what reads an answer. The hook reads the connection besides. To read an answer piece
by piece is not seen in it. `HttpHook.run` keeps its connection, and loads Airflow's connection types at its first
call."""
AIMS = "at most 1.10 of the snippet's first call, and 0.20 of its later ones over TLS"


def client(url: str) -> Callable[[str], str]:
    from airflow_provider_talecraft.api.client import TaleCraftClient
    from airflow_provider_talecraft.api.models import IllustrationRequest

    one = TaleCraftClient(KEY, base_url=url, connect_timeout=5, read_timeout=300)
    return lambda prompt: one.generate(IllustrationRequest(prompt)).image_url


def hook(url: str) -> Callable[[str], str]:
    from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook

    os.environ["AIRFLOW_CONN_SERVICE"] = json.dumps({"conn_type": "talecraft", "host": url, "password": KEY})
    one = TaleCraftHook("service")
    one.get_conn()
    return lambda prompt: one.generate(prompt).image_url


def http(url: str) -> Callable[[str], str]:
    from airflow.providers.http.hooks.http import HttpHook

    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    os.environ["AIRFLOW_CONN_SERVICE"] = json.dumps({"conn_type": "http", "host": url})
    one = HttpHook(method="POST", http_conn_id="service")

    def call(prompt: str) -> str:
        answer = one.run("/api/v1/generate", data=json.dumps(body(prompt)), headers=headers).json()
        assert answer["code"] == 0  # noqa: S101  # errors come with status 200
        return str(answer["data"]["image_url"])

    return call


def snippet(url: str) -> Callable[[str], str]:
    """The service's own example."""
    import requests

    def call(prompt: str) -> str:
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        answer = requests.post(f"{url}/api/v1/generate", headers=headers, json=body(prompt)).json()  # noqa: S113  # as there
        if answer["code"] != 0:
            raise RuntimeError(answer["message"])
        return str(answer["data"]["image_url"])

    return call


def body(prompt: str) -> dict[str, str]:
    return {"prompt": prompt, "style": "children_book", "aspect_ratio": "1:1"}


def take(name: str, url: str, calls: int) -> None:
    call = {"snippet": snippet, "client": client, "hook": hook, "http": http}[name](url)
    cpu, wall = [], []
    for number in range(calls):
        began, used = time.perf_counter(), time.process_time()
        assert call(f"Page {number}")  # noqa: S101  # delivered
        cpu.append((time.process_time() - used) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    print(json.dumps({"first": cpu[0], "later": median(cpu[1:]), "wall": median(wall[1:])}))


def main() -> None:
    parser = argparse.ArgumentParser(description="One request: its CPU.")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="of all of them (7); medians are shown")
    parser.add_argument("--calls", type=int, default=200, metavar="N", help="in each process (200)")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "URL"), help="call in this process, and print what it took")
    options = parser.parse_args()
    if options.one:
        take(*options.one, options.calls)
        return
    with tempfile.TemporaryDirectory(prefix="talecraft-call-") as home:
        own, bundle = certificate(Path(home))
        environment = {"AIRFLOW_HOME": home, "REQUESTS_CA_BUNDLE": str(bundle), "NO_PROXY": "*", "no_proxy": "*"}
        for title, secured in (("plain", None), ("TLS", own)):
            found: dict[str, list[dict[str, Any]]] = defaultdict(list)
            with service(0, secured) as url:
                for number, name in in_turns(list(CONTESTANTS), options.rounds):
                    arguments = ("--calls", str(options.calls), "--one", name, url)
                    found[name].append(measured(Path(__file__), *arguments, environment=environment))
                    say(f"  {title} {number + 1} {name}: {found[name][-1]}")
            result(table(title, found))
    result(f"Aims: {AIMS}.")
    result(WHY)


def table(title: str, found: dict[str, list[dict[str, Any]]]) -> str:
    base = {what: middle(found["snippet"], what) for what in ("first", "later")}
    rows = [
        [
            name,
            *(
                cell
                for what in base
                for cell in (f"{middle(found[key], what):.2f} ms", f"{middle(found[key], what) / base[what]:.2f}")
            ),
            f"{middle(found[key], 'wall'):.2f} ms",
        ]
        for key, name in CONTESTANTS.items()
    ]
    return markdown(
        [title, "CPU, first call", "ratio", "CPU, a later call", "ratio", "wall time of a later call"], rows
    )


if __name__ == "__main__":
    main()

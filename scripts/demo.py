"""``make demo``: a picture book by Airflow and the sandbox, in ``demo-output/`` where it is called, and what it cost.

Runs in the project's environment. Everything it starts is its own: a sandbox on a free port, an Airflow home in a
temporary folder, both gone when it ends.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = Path.cwd() / "demo-output"
LOG = OUTPUT / "airflow.log"
DAG_ID = "talecraft_storybook"
#: Seconds. A cold, slow machine needs a minute; whatever takes longer hangs.
LIMIT = 600
SHOWN_PROMPT = 72


def main(prompt: str) -> None:
    started = time.monotonic()
    OUTPUT.mkdir(exist_ok=True)
    with LOG.open("wb") as log, tempfile.TemporaryDirectory(prefix="talecraft-demo-") as home, sandbox(log) as url:
        say(f"The sandbox speaks TaleCraft's API on {url}: no account, no key, play credits.")
        environment = airflow_environment(home, url)
        conf: dict[str, Any] = {"destination": OUTPUT.as_uri().replace("%20", " ")}
        if prompt:
            conf.update(title="A page of your own", pages=[prompt])
        say("Airflow sets up a database of its own …")
        with airflow(["db", "migrate"], environment, log) as migration:
            wait(migration, log)
        say(f"Airflow runs the Dag {DAG_ID} (its log: {shown(LOG)}) …")
        with airflow(["dags", "test", DAG_ID, "--conf", json.dumps(conf)], environment, log) as run:
            seen = 0
            for _ in ticks():
                charges = ledger(url)["charges"]
                for number, charge in enumerate(charges[seen:], start=seen + 1):
                    say(f"  {number:>2}  drawn  {shortened(charge['prompt'])}")
                seen = len(charges)
                if run.poll() is not None:
                    break
            wait(run, log)
        account = ledger(url)
    page = OUTPUT / "index.html"
    names = re.findall(r'<img src="(.*?)"', page.read_text(encoding="utf-8"))
    pictures = [OUTPUT / unquote(name) for name in names]
    say("")
    for path in [page, *pictures]:
        say(f"  {shown(path)}")
    say("")
    count, spent = len(account["charges"]), account["spent"]
    cost = f"{count} drawn for {spent} play credits" if count else "nothing paid: all stood there already"
    say(f"{len(pictures)} picture{'s' if len(pictures) != 1 else ''}, {cost}, {time.monotonic() - started:.0f} s.")
    if not prompt:
        say('A prompt of your own: make demo PROMPT="a whale reading a newspaper"')


@contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a command while the block runs; however the block ends, nothing of it stays behind."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        # It leads a group of its own: whatever it started ends with it.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(10)


@contextmanager
def sandbox(log: Any) -> Iterator[str]:
    """Run the sandbox on a free port while the block runs; yield its URL."""
    command = [sys.executable, "-m", "airflow_provider_talecraft.sandbox", "--port", "0", "--latency", "0.5"]
    with started(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        first_line = process.stdout.readline() if process.stdout else ""
        if "http://" not in first_line:
            fail("The sandbox did not start.")
        yield first_line.split()[-1]


def airflow_environment(home: str, url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    connection = {"conn_type": "talecraft", "host": url, "password": "sandbox-key"}
    return {
        **inherited,
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_TALECRAFT_DEFAULT": json.dumps(connection),
    }


def airflow(arguments: list[str], environment: dict[str, str], log: Any) -> Any:
    """Run an ``airflow`` command while the block runs."""
    return started([sys.executable, "-m", "airflow", *arguments], env=environment, stdout=log, stderr=log)


def wait(process: subprocess.Popen[Any], log: Any) -> None:
    try:
        code = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        fail(f"Airflow did not end within {LIMIT} s.")
    if code:
        log.flush()
        fail(f"Airflow exited with {code}.")


def ticks() -> Iterator[None]:
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        yield
        time.sleep(0.2)


def ledger(url: str) -> dict[str, Any]:
    with urlopen(f"{url}/sandbox/ledger", timeout=10) as answer:  # noqa: S310  # our own loopback server
        account: dict[str, Any] = json.load(answer)
    return account


def shown(path: Path) -> str:
    return os.path.relpath(path)


def shortened(prompt: str) -> str:
    line = "".join(char if char.isprintable() else " " for char in prompt)
    return line if len(line) <= SHOWN_PROMPT else line[: SHOWN_PROMPT - 1] + "…"


def say(line: str) -> None:
    print(line, flush=True)


def fail(reason: str) -> None:
    tail = LOG.read_text(errors="replace").splitlines()[-15:]
    sys.exit("\n".join([*tail, "", f"{reason} All it said is in {shown(LOG)}."]))


if __name__ == "__main__":
    try:
        main(os.environ.get("PROMPT", "").strip())
    except KeyboardInterrupt:
        sys.exit("\nStopped; nothing is left running.")

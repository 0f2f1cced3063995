"""What all benchmarks print: progress to a person, results as Markdown. ``__main__`` puts the results on the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


def say(text: str) -> None:
    """Tell whoever watches how far it is."""
    print(text, file=sys.stderr, flush=True)


def result(text: str) -> None:
    """Give a part of the result, in Markdown."""
    print(f"{text}\n", flush=True)


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def middle(found: Iterable[Mapping[str, float]], what: str) -> float:
    """Return the median of one number of several runs."""
    return median(one[what] for one in found)


def in_turns(names: Sequence[str], rounds: int) -> list[tuple[int, str]]:
    """Return the order of so many rounds: each begins with another one, so that nobody is always the first."""
    return [(number, names[(number + place) % len(names)]) for number in range(rounds) for place in range(len(names))]


def measured(script: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run *script* in a process of its own; return the JSON of its last line."""
    done = subprocess.run(  # noqa: S603  # this folder's own
        [sys.executable, str(script), *arguments],
        env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{script.name} {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found

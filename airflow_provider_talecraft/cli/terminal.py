"""What a command says and asks: its result on stdout, everything else on stderr, nothing that moves a terminal."""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Terminal:
    """Takes stdout for the command's result alone: what Airflow and its providers print there goes to stderr.

    :param as_json: whether the result is one JSON document.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        sys.stdout.flush()
        self._stdout = os.dup(sys.__stdout__.fileno() if sys.__stdout__ else 1)
        os.dup2(2, 1)
        # What an operator notes in a task's log, the command itself says.
        logging.getLogger("airflow_provider_talecraft").setLevel(logging.WARNING)

    def result(self, facts: Mapping[str, Any], lines: Sequence[str] = ()) -> None:
        """Print the result: *facts* as JSON, else *lines*."""
        text = json.dumps(facts, indent=1) if self.as_json else "\n".join(plain(line) for line in lines)
        if text:
            # A reader that has gone away is none of our errors: what was paid for is paid for.
            with suppress(BrokenPipeError), os.fdopen(os.dup(self._stdout), "wb") as stdout:
                stdout.write(f"{text}\n".encode(errors="backslashreplace"))

    def say(self, text: str) -> None:
        """Tell a person."""
        with suppress(BrokenPipeError):
            sys.stderr.buffer.write(f"{plain(text)}\n".encode(errors="backslashreplace"))
            sys.stderr.flush()

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def confirms(self, question: str) -> bool:
        """Ask, and return whether the answer is yes."""
        sys.stderr.write(f"{plain(question)} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().casefold() in {"y", "yes"}

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show that something is awaited, and since when; without a terminal, say it once."""
        if not sys.stderr.isatty():
            self.say(text)
            yield
            return
        from rich.console import Console  # noqa: PLC0415  # light until here; it comes with Airflow
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415  # as above

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=Console(file=sys.stderr), transient=True, redirect_stdout=False) as progress:
            progress.add_task(plain(text), total=None)
            yield


def plain(text: str) -> str:
    """Return *text* with everything that is no character to look at written as an escape: it may come from outside."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )


def see_all_connections() -> None:
    """Let ``BaseHook.get_connection`` read Airflow's database, as ``airflow connections test`` does."""
    # Else, since Airflow 3, a command sees no connection but those of its environment.
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"

"""All commands, once: for ``airflow talecraft …``, and for ``python -m airflow_provider_talecraft.cli …``. Light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_talecraft.cli import check, generate, receipts
from airflow_provider_talecraft.sandbox import command as sandbox

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


class Command(NamedTuple):
    """One of them.

    :param name: its word.
    :param help: what it does, in a line.
    :param description: what it does, and how it ends.
    :param options: (flags, keywords of ``add_argument``).
    :param run: takes their values, returns the exit code.
    """

    name: str
    help: str
    description: str | None
    options: tuple[tuple[tuple[str, ...], dict[str, Any]], ...]
    run: Callable[[argparse.Namespace], int]


COMMANDS = (
    Command(
        "check",
        "Ask TaleCraft whether it accepts the API key of a connection; spends nothing",
        check.DESCRIPTION,
        check.OPTIONS,
        check.run,
    ),
    Command(
        "generate",
        "Draw one picture from a prompt, after a question about its cost",
        generate.DESCRIPTION,
        generate.OPTIONS,
        generate.run,
    ),
    Command(
        "receipts",
        "Add up what the pictures of a folder have cost, by their receipts",
        None,
        receipts.OPTIONS,
        receipts.run,
    ),
    Command(
        "sandbox",
        "Run a local stand-in for the TaleCraft API that paints pictures and charges nothing",
        None,
        sandbox.OPTIONS,
        sandbox.serve,
    ),
)

"""The ``airflow talecraft`` commands. Light: every ``airflow`` command of Airflow 3.2+ imports this module."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

from airflow_provider_talecraft.cli import receipts
from airflow_provider_talecraft.sandbox.command import OPTIONS, serve

if TYPE_CHECKING:
    from argparse import Namespace


def get_cli_commands() -> list[GroupCommand]:
    """Return the commands that provider info announces to Airflow."""
    sandbox = ActionCommand(
        name="sandbox",
        help="Run a local stand-in for the TaleCraft API that paints pictures and charges nothing",
        func=run_sandbox,
        args=tuple(Arg(flags, **keywords) for flags, keywords in OPTIONS),  # type: ignore[no-untyped-call]  # Airflow's
    )
    add_up = ActionCommand(
        name="receipts",
        help="Add up what the pictures of a folder have cost, by their receipts",
        func=run_receipts,
        args=tuple(Arg(flags, **keywords) for flags, keywords in receipts.OPTIONS),  # type: ignore[no-untyped-call]
    )
    commands = (add_up, sandbox)
    return [GroupCommand(name="talecraft", help="Work with TaleCraft illustrations", subcommands=commands)]


def run_receipts(options: Namespace) -> None:
    """Print the sums, and end the ``airflow`` command with their exit code."""
    sys.exit(receipts.run(options))


def run_sandbox(options: Namespace) -> None:
    """Serve until interrupted, and end the ``airflow`` command with the sandbox's exit code."""
    sys.exit(serve(options))

"""The ``airflow talecraft`` commands. Light: every ``airflow`` command of Airflow 3.2+ imports this module."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

from airflow_provider_talecraft.cli.commands import COMMANDS

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from airflow_provider_talecraft.cli.commands import Command


def get_cli_commands() -> list[GroupCommand]:
    """Return the commands that provider info announces to Airflow."""
    actions = tuple(
        ActionCommand(
            name=command.name,
            help=command.help,
            description=command.description,
            func=_ending_with_its_code(command),
            args=tuple(Arg(flags, **keywords) for flags, keywords in command.options),  # type: ignore[no-untyped-call]  # Airflow's
        )
        for command in COMMANDS
    )
    return [GroupCommand(name="talecraft", help="Work with TaleCraft illustrations", subcommands=actions)]


def _ending_with_its_code(command: Command) -> Callable[[Namespace], None]:
    """Return what Airflow calls: it pays no attention to what a command returns."""

    def run(options: Namespace) -> None:
        sys.exit(command.run(options))

    return run

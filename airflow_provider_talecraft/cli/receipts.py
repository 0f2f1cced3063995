"""``airflow talecraft receipts``: what the pictures of a folder have cost, by their receipts. Sends nothing.

Light to import; loads Airflow's object storage when it runs. Below Airflow 3.2, which knows of no provider's commands:
``python -m airflow_provider_talecraft.cli.receipts``.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.cli.terminal import Terminal, see_all_connections

if TYPE_CHECKING:
    from collections.abc import Sequence

#: (flags, keywords of ``add_argument``), for both ways to call it.
OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("prefix",), {"metavar": "PREFIX", "help": "a folder, such as s3://bucket/books; with all folders in it"}),
    (("--conn-id",), {"default": None, "help": "id of the store's connection (default: the store's own)"}),
    (("--output",), {"choices": ("table", "json"), "default": "table", "help": "default: table"}),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command of its own; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_talecraft.cli.receipts",
        description="Add up what the pictures of a folder have cost, by their receipts.",
    )
    for flags, keywords in OPTIONS:
        parser.add_argument(*flags, **keywords)
    return run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Print the sums; return 0, or 1 if the folder, or a receipt in it, cannot be read.

    :param options: a namespace with the values of ``OPTIONS``.
    """
    terminal = Terminal(as_json=options.output == "json")
    see_all_connections()
    from airflow_provider_talecraft.spending.account import Account  # noqa: PLC0415  # light until here

    try:
        account = Account.of(options.prefix, conn_id=options.conn_id)
    except Exception as error:  # noqa: BLE001  # each store has its own
        terminal.say(f"{options.prefix} cannot be read: {error}")
        return 1
    terminal.result(account.facts(), account.table().splitlines())
    return 1 if account.unreadable else 0


if __name__ == "__main__":
    sys.exit(main())

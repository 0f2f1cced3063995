"""``airflow talecraft check``: whether TaleCraft accepts a connection's key. Spends nothing. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.cli import connection, exits
from airflow_provider_talecraft.cli.terminal import Terminal, see_all_connections
from airflow_provider_talecraft.exceptions import TaleCraftAuthenticationError, TaleCraftError

if TYPE_CHECKING:
    import argparse

#: (flags, keywords of ``add_argument``), for both ways to call it.
OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--conn-id",), {"default": connection.DEFAULT, "help": f"id of the connection (default: {connection.DEFAULT})"}),
    (("--output",), {"choices": ("table", "json"), "default": "table", "help": "default: table"}),
)
DESCRIPTION = "Ask TaleCraft whether it accepts the API key of a connection. It costs nothing.\n\n" + exits.OF_CHECK


def run(options: argparse.Namespace) -> int:
    """Print what is found out; return the exit code.

    :param options: a namespace with the values of ``OPTIONS``.
    """
    terminal = Terminal(as_json=options.output == "json")
    see_all_connections()
    facts: dict[str, Any] = {"ok": False, "connection": options.conn_id, "host": None, "error": None}
    try:
        _, client = connection.opened(options.conn_id)
        facts["host"] = client.base_url
        with terminal.waiting(f"Asking {client.base_url} …"):
            client.check_key()
    except TaleCraftError as error:
        facts |= {"error": type(error).__name__, "message": str(error)}
    except KeyboardInterrupt:
        facts |= {"error": "KeyboardInterrupt", "message": "Interrupted. Nothing was charged."}
    else:
        facts |= {"ok": True, "message": f"{facts['host']} accepts the API key. Nothing was charged."}
    refused = facts["error"] == TaleCraftAuthenticationError.__name__
    verdict = "good" if facts["ok"] else "not accepted" if refused else "not checked"
    rows = {"connection": facts["connection"], "host": facts["host"] or "not known", "API key": verdict}
    terminal.result(facts, [*(f"{name:<12}{value}" for name, value in rows.items()), facts["message"]])
    return exits.DONE if facts["ok"] else exits.FAILED

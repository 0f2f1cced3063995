"""The connection that a command uses, and what is said where it cannot be used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_provider_talecraft.exceptions import TaleCraftError

if TYPE_CHECKING:
    from airflow_provider_talecraft.api.client import TaleCraftClient
    from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook

DEFAULT = "talecraft_default"


class UnusableConnectionError(TaleCraftError):
    """There is no such connection, or it is wrong. Nothing was sent."""

    outcome = "refused"


def opened(conn_id: str) -> tuple[TaleCraftHook, TaleCraftClient]:
    """Return the hook and a client of a connection.

    :raises TaleCraftError: if there is none, or it is wrong; the message says how to make one.
    """
    from airflow.providers.common.compat.sdk import AirflowNotFoundException  # noqa: PLC0415  # light until here

    from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook  # noqa: PLC0415  # as above

    hook = TaleCraftHook(conn_id)
    try:
        return hook, hook.get_conn()
    except TaleCraftError as error:
        if isinstance(error.__context__, AirflowNotFoundException):
            raise UnusableConnectionError(missing(conn_id)) from None
        raise
    except Exception as error:  # noqa: BLE001  # each secrets backend has its own
        # Not quoted: what could not be read may be the key.
        raise UnusableConnectionError(
            f"Connection {conn_id!r} cannot be read ({type(error).__name__}): nothing was sent."
        ) from None


def missing(conn_id: str) -> str:
    """Return how to make a connection that is not there."""
    example = json.dumps({"conn_type": "talecraft", "password": "YOUR_API_KEY"})
    return (
        f"There is no connection {conn_id!r}: nothing was sent.\n"
        "Make it in Airflow under Admin > Connections: this id, type TaleCraft, the key in API key.\n"
        f"Or set AIRFLOW_CONN_{conn_id.upper()}='{example}'."
    )

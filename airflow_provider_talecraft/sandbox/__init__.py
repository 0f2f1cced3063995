"""A local stand-in for the TaleCraft API: charges, pictures and scripted faults on loopback.

The sandbox imports nothing from the rest of the package, so that one misreading of the API cannot hide in both the
client and the server it is tested on. This file stays light: the painter and the command line pass through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_talecraft.sandbox.server import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> object:
    if name != "Sandbox":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow_provider_talecraft.sandbox.command import complaint_about_extra  # noqa: PLC0415 - light until here

    if complaint := complaint_about_extra():
        raise ImportError(complaint)
    from airflow_provider_talecraft.sandbox.server import Sandbox  # noqa: PLC0415 - loads the server

    return Sandbox

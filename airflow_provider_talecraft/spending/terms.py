"""The conditions under which pictures are drawn once; what is done under them is in once.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_talecraft.pictures.delivery import Delivery
    from airflow_provider_talecraft.policies.options import Redraw


@dataclass(frozen=True)
class Terms:
    """The conditions that all pictures of a task have in common.

    :param delivery: where they go, and how they are fetched.
    :param redraw: what another request's picture means: "when_changed" replaces it, "never" leaves it, "always" draws
        in every run, whatever stands.
    :param max_replays: how often a request may be sent although an earlier one had no answer.
    :param lease: returns the seconds after which a request is not on its way any more.
    :param talecraft_conn_id: id of the connection, for metrics.
    """

    delivery: Delivery
    redraw: Redraw
    max_replays: int
    lease: Callable[[], float]
    talecraft_conn_id: str

"""What a sandbox remembers between requests, and its beginning. Touched by the server's event loop only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.sandbox.delays import Delays
from airflow_provider_talecraft.sandbox.faults import FaultQueue
from airflow_provider_talecraft.sandbox.ledger import Ledger
from airflow_provider_talecraft.sandbox.limits import Limits

if TYPE_CHECKING:
    from airflow_provider_talecraft.sandbox.settings import Settings


class State:
    """The account's ledger, its limits and the faults that wait."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._begin()

    def reset(self) -> None:
        """Begin anew. A request that is running ends on the old ledger, so that it cannot leak into the next test."""
        self.delays.end()
        self._begin()

    def _begin(self) -> None:
        self.ledger = Ledger(self.settings.credits)
        self.faults, self.delays = FaultQueue(), Delays()
        self.limits = Limits(
            per_minute=self.settings.requests_per_minute,
            at_once=self.settings.max_concurrency,
            patience=self.settings.latency,
            clock=time.monotonic,
        )

    def book(self) -> dict[str, Any]:
        """The ledger as it stands, to read."""
        return self.ledger.as_dict()

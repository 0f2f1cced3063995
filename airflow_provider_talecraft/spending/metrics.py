"""What is measured, and under which names: sent through Airflow's own Stats to wherever the deployment sends those.

Knows the names and the tags; docs/monitoring.md describes them. Nothing from outside is in a tag: no prompt, no answer.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftGenerationFailedError,
    TaleCraftInsufficientCreditsError,
    TaleCraftInvalidRequestError,
    TaleCraftRateLimitError,
    TaleCraftSpendLimitError,
    TaleCraftUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

#: Counters. Airflow puts its own prefix before them, ``airflow.`` by default.
DELIVERED = "talecraft.delivered"
REFUSED = "talecraft.refused"
UNKNOWN = "talecraft.unknown"
REPLAYS = "talecraft.replays"
CREDITS_SPENT = "talecraft.credits"
COUNTERS = (DELIVERED, REFUSED, UNKNOWN, REPLAYS, CREDITS_SPENT)
#: Timings, in milliseconds as all of Airflow's.
PICTURE = "talecraft.picture_duration"
WAIT = "talecraft.wait_duration"
TIMINGS = (PICTURE, WAIT)

#: What the tag ``error`` of a refused request says. Errors that are not here end no request, such as a batch's halt.
KINDS: dict[type[BaseException], str] = {
    TaleCraftAuthenticationError: "authentication",
    TaleCraftInvalidRequestError: "invalid_request",
    TaleCraftInsufficientCreditsError: "insufficient_credits",
    TaleCraftSpendLimitError: "spend_limit",
    TaleCraftRateLimitError: "rate_limit",
    TaleCraftUnavailableError: "unavailable",
    TaleCraftGenerationFailedError: "generation_failed",
}
#: What the tag ``waits_for`` says.
TURN = "turn"
ANOTHER_TASK = "another_task"


class Metrics:
    """What one task tells about its requests. Never breaks a task: what goes wrong here is only logged.

    :param ti: the task instance, None outside a task.
    :param talecraft_conn_id: id of the connection.
    """

    def __init__(self, ti: Any = None, talecraft_conn_id: str = "") -> None:
        named = {
            "dag_id": getattr(ti, "dag_id", None),
            "task_id": getattr(ti, "task_id", None),
            "conn_id": talecraft_conn_id,
        }
        # StatsD takes ASCII alone, and commas, blanks and equals signs mean something to it.
        self._tags = {name: re.sub(r"[^A-Za-z0-9_.-]", "_", str(value)) for name, value in named.items() if value}

    @contextmanager
    def request(self) -> Iterator[None]:
        """Measure one request, sent in the block: what leaves the block says what became of it."""
        started = time.monotonic()
        try:
            yield
        except BaseException as error:
            if getattr(error, "outcome", None) != "refused":
                self._count(UNKNOWN)
            elif kind := next((KINDS[base] for base in type(error).__mro__ if base in KINDS), None):
                self._count(REFUSED, error=kind)
            raise
        self._count(DELIVERED)
        self._count(CREDITS_SPENT, CREDITS)
        self._time(PICTURE, time.monotonic() - started)

    def replay(self) -> None:
        """Count a request that is sent although the one before had no answer."""
        self._count(REPLAYS)

    def waited(self, seconds: float, waits_for: str) -> None:
        """Note how long a request waited before it could be sent.

        :param waits_for: :data:`TURN` or :data:`ANOTHER_TASK`.
        """
        self._time(WAIT, seconds, waits_for=waits_for)

    def _count(self, name: str, count: int = 1, **tags: str) -> None:
        self._send("incr", name, count, tags)

    def _time(self, name: str, seconds: float, **tags: str) -> None:
        # A number, since Airflow 2.11 takes a timedelta for seconds here and for milliseconds there.
        self._send("timing", name, round(seconds * 1000, 3), tags)

    def _send(self, method: str, name: str, value: float, tags: dict[str, str]) -> None:
        try:
            from airflow.providers.common.compat.sdk import Stats  # noqa: PLC0415  # no Dag file needs it

            getattr(Stats, method)(name, value, tags={**self._tags, **tags})
        except Exception:  # a picture is not lost for a number
            log.warning("Airflow did not take the metric %s", name, exc_info=True)

"""What a task tells people's pages about its picture and its money: one XCom, rewritten as things happen."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.policies.fail_fast import in_short_lines
from airflow_provider_talecraft.spending.store import ASKING_AIRFLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
    from airflow_provider_talecraft.spending.once import DrawOnce
    from airflow_provider_talecraft.spending.record import SpendRecord

log = logging.getLogger(__name__)

#: The XCom's key.
KEY = "talecraft_report"


class Report:
    """The report of one try: flat JSON, described in docs/pages.md.

    Airflow takes it away when the next try starts; that of a killed worker stays as it was. It is for people: what a
    later try goes by is the record.

    :param ti: the task instance.
    :param is_pushed: whether the task pushes XComs; without, nothing is told.
    """

    def __init__(self, ti: Any, *, is_pushed: bool = True) -> None:
        self._ti = ti if is_pushed else None
        self._record: SpendRecord | DrawOnce | None = None
        self._facts: dict[str, Any] = {
            "state": "asking",
            "since": None,
            "replays": 0,
            "credits": 0,
            "credits_earlier": 0,
            "credits_unknown": 0,
        }

    def of(self, record: SpendRecord | DrawOnce, request: IllustrationRequest) -> None:
        """Take the counts from *record*, and what is asked for from *request*."""
        self._record = record
        self._facts |= request.payload()

    def sending(
        self, send: Callable[[IllustrationRequest], Illustration]
    ) -> Callable[[IllustrationRequest], Illustration]:
        """Return *send*, which tells before it sends, and counts what was charged."""

        def told(request: IllustrationRequest) -> Illustration:
            self.tell("asking", since=now(), **request.payload())
            illustration = send(request)
            self._facts["credits"] += CREDITS
            return illustration

        return told

    def note(self, **facts: Any) -> None:
        """Keep *facts* for when something is told."""
        self._facts |= facts

    def tell(self, state: Literal["asking", "drawn", "found", "failed"], **facts: Any) -> None:
        """Tell how it stands. Pages that show less are no reason to lose a picture: what goes wrong is only logged."""
        if self._record is not None:
            facts |= {"replays": self._record.replays, "credits_unknown": self._record.unanswered * CREDITS}
            if state in {"drawn", "found"} and not self._facts["credits"] and self._record.is_own:
                facts["credits_earlier"] = CREDITS
        self._facts |= {"state": state, **facts}
        if self._ti is None:
            return
        try:
            with ASKING_AIRFLOW:
                self._ti.xcom_push(key=KEY, value=self._facts)
        except Exception:
            log.warning("Airflow did not take %s: its pages show an older one.", KEY, exc_info=True)

    def fail(self, error: Exception) -> None:
        """Tell what happened, what may have been charged and what to do, as *error* says it."""
        self.tell("failed", error=type(error).__name__, lines=in_short_lines(str(error)))


def now() -> str:
    """Return the moment, ISO 8601 in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")

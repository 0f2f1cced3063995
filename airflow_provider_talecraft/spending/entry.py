"""What a record says, as JSON that a person can read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_provider_talecraft.api.models import CREDITS

STATES = ("refused", "sent", "delivered")
#: Characters of the prompt that the record shows: enough to know it by.
SHOWN_PROMPT = 60


@dataclass
class Entry:
    """What is kept, as JSON.

    :param state: "sent", "refused" or "delivered".
    :param fingerprint: of the connection's id and of what was asked for.
    :param max_tries: the task instance's when this was written; Airflow raises it when the task is cleared.
    :param replays: how often a request was sent although an earlier one had no answer, over all tries and clears.
    :param unanswered: when each request without an answer was sent, ISO 8601 in UTC.
    :param prompt: the beginning of the last prompt sent.
    :param result: what was delivered.
    """

    state: str
    fingerprint: str
    max_tries: int
    replays: int = 0
    unanswered: list[str] = field(default_factory=list)
    prompt: str = ""
    result: dict[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what is kept; it begins with a sentence for the person who looks at it."""
        return {"about": self.about(), **asdict(self)}

    def about(self) -> str:
        """Return what this says, as a sentence."""
        lost = f" Earlier requests without an answer may have been charged: {times(self.unanswered)}."
        if self.state == "delivered":
            return f"Delivered: {CREDITS} credits.{lost if self.unanswered else ''}"
        if self.state == "sent":
            return f"Sent, and no answer yet: each of these may have been charged: {times(self.unanswered)}."
        return f"Refused, or not sent: nothing was charged.{lost if self.unanswered else ''}"

    @classmethod
    def read(cls, stored: Any) -> Entry:
        """Return the entry that *stored* is.

        :raises ValueError: if it is none.
        """
        fields = {name: value for name, value in stored.items() if name != "about"} if isinstance(stored, dict) else {}
        if set(fields) != set(cls.__dataclass_fields__):
            raise ValueError("it has other fields")
        entry = cls(**fields)
        texts = [entry.fingerprint, entry.prompt, *(entry.unanswered if isinstance(entry.unanswered, list) else [None])]
        if entry.state not in STATES or not all(isinstance(text, str) for text in texts):
            raise ValueError("a text is none")
        # A bool is an int to Python, and no count to anyone.
        if not all(type(count) is int and count >= 0 for count in (entry.max_tries, entry.replays)):
            raise ValueError("a count is none")
        delivered = isinstance(entry.result, dict) and all(isinstance(text, str) for text in entry.result.values())
        if entry.state == "delivered" and not (delivered and entry.result and entry.result.get("image_url")):
            raise ValueError("it is delivered without a result")
        return entry


def times(moments: list[str]) -> str:
    """Return *moments* as a list for a sentence."""
    return " and ".join(moments) or "an unknown time"

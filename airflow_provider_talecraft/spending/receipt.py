"""The receipt of a picture, beside the picture: what was drawn from what, what it cost, and how far it has come.

It is a public format, described in docs/receipts.md: flat JSON that a person or a script can read. It holds no key, and
no URL with a query once the picture stands.

=========  ====================================================================  =========================
state      what it means                                                         what the next run does
=========  ====================================================================  =========================
asked      a request is, or was, on its way; it may have been charged            waits, else a replay
refused    the last request was refused, an earlier one has no answer            asks
answered   charged; the picture is at ``image_url``                              goes on with the fetch
fetched    charged; the picture was fetched, and may stand                       stores it, or finds it
stored     charged; the picture stands                                           nothing
=========  ====================================================================  =========================

Who asks counts: request number *n* can be claimed once, by the exclusive creation of the receipt (the first) or of
``<receipt>.<n>`` (the others), so that of two tasks with one destination one asks.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.exceptions import TaleCraftUnavailableError
from airflow_provider_talecraft.pictures.place import ObjectLocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

Redraw = Literal["when_changed", "never", "always"]

VERSION = 1
#: Characters of a request's fingerprint that name its picture where nothing else does.
NAME = 16
#: The states in which the picture is paid for.
PAID = ("answered", "fetched", "stored")
STATES = ("asked", "refused", *PAID)
#: Bytes. A receipt has a thousand and its prompts.
LIMIT = 1024 * 1024
#: What makes a task instance the one that wrote a receipt.
OWNER = ("dag_id", "task_id", "run_id", "map_index")
#: The ``max_tries`` of an entry that another task instance wrote; ours are counted from 1.
ANOTHERS = 0
CONTENT_TYPE = "application/json"


class Receipt:
    """Keeps the record of one picture in the picture's folder; it is a ``Keeper``.

    :param path: where; ending in ``.json``.
    :param request: what is asked for, as the receipt shows it.
    :param owner: the task instance: dag_id, task_id, run_id, map_index.
    :param lease: returns the seconds after which a request is not on its way any more, whoever sent it.
    :raises AirflowFailException: if something stands there and is no receipt; it is not taken for "no receipt".
    """

    def __init__(
        self,
        path: ObjectStoragePath,
        *,
        request: Mapping[str, Any],
        owner: Mapping[str, Any],
        lease: Callable[[], float],
    ) -> None:
        self._location = ObjectLocation(path)
        self._request = dict(request)
        self._owner = dict(owner)
        self._lease = lease
        self.facts: dict[str, Any] | None = None
        self.refresh()

    @property
    def place(self) -> str:
        return f"the receipt {self._location}"

    @property
    def state(self) -> str | None:
        """One of ``STATES``, None if there is no receipt."""
        return self.facts["state"] if self.facts else None

    @property
    def is_ours(self) -> bool:
        """Whether this task instance wrote it, in this try or an earlier one."""
        return bool(self.facts) and _is_of(self.facts, self._owner)

    @property
    def is_busy(self) -> bool:
        """Whether another task's request is on its way."""
        return self.state == "asked" and not self.is_ours and not _is_over(self.facts)

    def refresh(self) -> None:
        """Read it again."""
        content = self._location.read(LIMIT)
        self.facts = None if content is None else parse(content, self.place)

    def load(self) -> dict[str, Any] | None:
        """Return it as a record's entry."""
        if self.facts is None:
            return None
        url = self.facts.get("image_url") or self.facts.get("source")
        result = {"image_url": url, **{name: self.facts.get(name) or "" for name in ("id", "status", "prompt")}}
        return {
            "state": {"asked": "sent", "refused": "refused"}.get(self.facts["state"], "delivered"),
            "fingerprint": self.facts["fingerprint"],
            "max_tries": self.facts["max_tries"] if self.is_ours else ANOTHERS,
            "replays": self.facts["replays"],
            "unanswered": self.facts["unanswered"],
            "prompt": self.facts["prompt"],
            "result": result if self.state in PAID else None,
        }

    def begin(self, entry: Mapping[str, Any]) -> None:
        """Claim the next request and say that it is on its way; nobody else sends it.

        :raises TaleCraftUnavailableError: if another task was faster.
        """
        before = self.facts
        number = before["requests"] + 1 if before else 1
        if before:
            number = self._claim(number)
        replaced = before if before and before["state"] == "stored" else (before or {}).get("replaces")
        facts = self._facts(entry, state="asked", requests=number)
        facts["busy_until"] = self._busy_until()
        if replaced:
            facts["replaces"] = replaced
        try:
            self._write(facts, exclusive=before is None)
        except FileExistsError:
            raise _busy(self.place) from None

    def save(self, entry: Mapping[str, Any]) -> None:
        """Say that the request was answered, refused, or lost."""
        facts = self.facts or {}
        if entry["state"] == "delivered":
            replaces = {"replaces": facts["replaces"]} if facts.get("replaces") else {}
            paid = self._facts(entry, state="answered", requests=facts["requests"]) | dict(entry["result"]) | replaces
            self._write({**paid, "credits": CREDITS})
        elif entry["state"] == "sent":
            # No answer came, and nobody waits for one any more.
            self._write({name: value for name, value in facts.items() if name != "busy_until"})
        elif entry["unanswered"]:
            self._write(self._facts(entry, state="refused", requests=facts["requests"]))
        elif facts.get("replaces"):
            self._write({**facts["replaces"], "requests": facts["requests"]})
        else:
            self._location.remove()
            self._forget_claims(facts.get("requests", 1))
            self.facts = None

    def picture_is_gone(self) -> None:
        """Go by the receipt as if its picture were to be drawn for the first time."""
        if self.facts:
            self.facts = {**self.facts, "state": "refused"}

    def advance(self, state: str, **facts: Any) -> None:
        """Say that the picture was fetched, or stands.

        :param facts: what is known about it; None takes a fact away.
        """
        known = {**(self.facts or {}), "state": state, **facts}
        self._write({name: value for name, value in known.items() if value is not None})
        if state == "stored":
            self._forget_claims(known["requests"])

    def _facts(self, entry: Mapping[str, Any], *, state: str, requests: int) -> dict[str, Any]:
        return {
            "state": state,
            "fingerprint": entry["fingerprint"],
            **self._request,
            "credits": 0,
            "replays": entry["replays"],
            "unanswered": entry["unanswered"],
            "requests": requests,
            **self._owner,
            "max_tries": entry["max_tries"],
        }

    def _write(self, facts: dict[str, Any], *, exclusive: bool = False) -> None:
        content = {"talecraft_receipt": VERSION, "about": _about(facts), **facts}
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        self._location.put(text.encode(), content_type=CONTENT_TYPE, exclusive=exclusive)
        self.facts = facts

    def _claim(self, number: int) -> int:
        """Claim the request of that number, or the next whose claim was left by a dead worker; return its number."""
        for claimed in range(number, number + 100):
            claim = self._claim_of(claimed)
            mine = {**self._owner, "busy_until": self._busy_until()}
            try:
                claim.put(json.dumps(mine).encode(), content_type=CONTENT_TYPE, exclusive=True)
            except FileExistsError:
                other = _loads(claim.read(LIMIT))
                # Whoever claims writes the receipt next, and then asks: nothing was sent by one who died before.
                if _is_of(other, self._owner) or _is_over(other):
                    continue
                raise _busy(self.place) from None
            known = (self.facts or {}).get("requests")
            self.refresh()
            if (self.facts or {}).get("requests") != known:
                claim.remove()
                raise _busy(self.place)
            return claimed
        raise _busy(self.place)

    def _busy_until(self) -> str:
        return (_now() + timedelta(seconds=self._lease())).isoformat(timespec="seconds")

    def _claim_of(self, number: int) -> ObjectLocation:
        path = self._location.path
        return ObjectLocation(path.parent / f"{path.name}.{number}")

    def _forget_claims(self, last: int) -> None:
        # Who has read an older receipt and claims one of them again finds that the receipt has changed since.
        for number in range(max(2, last - 3), last + 1):
            with suppress(OSError):
                self._claim_of(number).remove()


def parse(content: bytes, place: str) -> dict[str, Any]:
    """Return what a receipt says, without its version; AirflowFailException if it is none."""
    facts = _loads(content)
    texts = ("state", "fingerprint", "prompt", *OWNER[:3])
    counts = ("replays", "requests", "max_tries")
    paid = facts.get("state") in PAID
    well_formed = (
        facts.pop("talecraft_receipt", None) == VERSION
        and all(isinstance(facts.get(name), str) for name in texts)
        and all(type(facts.get(name)) is int and facts[name] >= 0 for name in counts)
        and type(facts.get("map_index")) is int
        and facts["state"] in STATES
        and isinstance(facts.get("unanswered"), list)
        and all(isinstance(moment, str) for moment in facts["unanswered"])
        and (not paid or isinstance(facts.get("image_url" if facts["state"] == "answered" else "source"), str))
        and (facts["state"] not in {"fetched", "stored"} or _is_picture(facts))
        and (facts.get("replaces") is None or _is_picture(facts["replaces"]))
    )
    facts.pop("about", None)
    if not well_formed:
        raise AirflowFailException(
            f"{place[0].upper()}{place[1:]} is not one, or was edited: nothing was sent. Mend it, or delete it and the "
            "picture beside it to draw, and pay, anew."
        )
    return facts


def _is_picture(facts: Any) -> bool:
    texts = isinstance(facts, dict) and all(isinstance(facts.get(name), str) for name in ("file", "sha256"))
    # A file elsewhere is none of ours, whatever somebody wrote here: it could be removed.
    return texts and "/" not in facts["file"] and facts["file"] not in {"", ".", ".."}


def _loads(content: bytes | None) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        facts = json.loads(content or b"")
        if isinstance(facts, dict):
            return facts
    return {}


def _is_of(facts: Mapping[str, Any] | None, owner: Mapping[str, Any]) -> bool:
    return facts is not None and all(facts.get(name) == owner[name] for name in OWNER)


def _is_over(facts: Mapping[str, Any] | None) -> bool:
    """Return whether nobody can be at work any more; True as well if that cannot be read."""
    try:
        until = datetime.fromisoformat((facts or {})["busy_until"])
        return _now() > until
    except (KeyError, TypeError, ValueError):
        return True


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _busy(place: str) -> TaleCraftUnavailableError:
    return TaleCraftUnavailableError(f"Another task draws this picture now, says {place}: nothing was sent.")


def _about(facts: Mapping[str, Any]) -> str:
    lost = f" Without an answer, and perhaps charged: {', '.join(facts['unanswered'])}." if facts["unanswered"] else ""
    return {
        "asked": "A request is on its way, or has no answer.",
        "refused": "The last request was refused: nothing was charged for it.",
        "answered": f"{CREDITS} credits. The picture is not fetched yet.",
        "fetched": f"{CREDITS} credits. The picture is being stored.",
        "stored": f"{CREDITS} credits. The picture stands in {facts.get('file')}.",
    }[facts["state"]] + lost

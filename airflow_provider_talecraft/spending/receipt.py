"""The receipt of a picture, beside the picture: what was drawn from what, what it cost, and how far it has come.

It is a public format, described in docs/receipts.md: flat JSON that a person or a script can read. It holds no key, and
no URL with a query once the picture stands.

=========  ====================================================================  ==================================
state      what it means                                                         what the next run does
=========  ====================================================================  ==================================
asked      a request is, or was, on its way; it may have been charged            waits, else a replay
refused    the last request was refused, an earlier one has no answer            asks
answered   charged; the picture is at ``image_url``                              waits, else goes on with the fetch
fetched    charged; the picture was fetched, and may stand                       as above, if it does not stand
stored     charged; the picture stands                                           nothing
=========  ====================================================================  ==================================

A picture that is fetched or stored by one task is waited for by the others, until ``busy_until``. Of two tasks that
would ask, one does: the first receipt is created exclusively, and a later request is claimed (``claims``).
"""

from __future__ import annotations

import json
import logging
import time
from contextlib import contextmanager
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.pictures.place import ObjectLocation
from airflow_provider_talecraft.spending.claims import (
    CONTENT_TYPE,
    LIMIT,
    TakenError,
    claimed,
    is_of,
    is_over,
    moment_in,
)
from airflow_provider_talecraft.spending.form import BUSY, PAID, VERSION, about, read

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)


#: Seconds for which a store may refuse to take down a paid picture, and between two attempts. Within the time for which
#: the request counts as on its way (operators.base.MARGIN), so that no other task asks meanwhile.
PATIENCE = 100.0
WAITS = (1.0, 2.0, 4.0, 8.0)
#: Characters of a request's fingerprint that name its picture where nothing else does.
NAME = 16
#: The ``max_tries`` of an entry that another task instance wrote; ours are counted from 1.
ANOTHERS = 0


class Receipt:
    """Keeps the record of one picture in the picture's folder; it is a ``Keeper``.

    :param path: where; ending in ``.json``.
    :param files: what the picture's file may be called; any other file is none of the receipt's.
    :param request: what is asked for, as the receipt shows it.
    :param owner: the task instance: dag_id, task_id, run_id, map_index.
    :param lease: returns the seconds after which a request, or a fetch, is not on its way any more, whoever began it.
    :raises AirflowFailException: if something stands there and is no receipt; it is not taken for "no receipt".
    """

    def __init__(
        self,
        path: ObjectStoragePath,
        *,
        files: Collection[str],
        request: Mapping[str, Any],
        owner: Mapping[str, Any],
        lease: Callable[[], float],
    ) -> None:
        self.location = ObjectLocation(path)
        self._files = files
        self._request = dict(request)
        self._owner = dict(owner)
        self._lease = lease
        #: What stood there when it was last read or written, and what was to stand there since.
        self._content: bytes | None = None
        self._attempted: bytes | None = None
        self.facts: dict[str, Any] | None = None
        self.refresh()

    @property
    def place(self) -> str:
        return f"the receipt {self.location}"

    @property
    def state(self) -> str | None:
        """One of those above, None if there is no receipt."""
        return self.facts["state"] if self.facts else None

    @property
    def is_ours(self) -> bool:
        """Whether this task instance wrote it, in this try or an earlier one."""
        return self.facts is not None and self.wrote(self.facts)

    @property
    def is_busy(self) -> bool:
        """Whether another task's request, or its picture, is on its way."""
        return self._is_anothers_work(self.facts or {})

    def wrote(self, facts: Mapping[str, Any]) -> bool:
        """Return whether *facts* are of this task instance."""
        return is_of(facts, self._owner)

    def refresh(self) -> None:
        """Read it again."""
        with self._naming_the_place():
            self._content = self._attempted = self.location.read(LIMIT)
        self.facts = None if self._content is None else read(self._content, self.location, self._files)

    def load(self) -> dict[str, Any] | None:
        """Return it as a record's entry."""
        if self.facts is None:
            return None
        return {
            "state": {"asked": "sent", "refused": "refused"}.get(self.facts["state"], "delivered"),
            "fingerprint": self.facts["fingerprint"],
            "max_tries": self.facts["max_tries"] if self.is_ours else ANOTHERS,
            "replays": self.facts["replays"],
            "unanswered": self.facts["unanswered"],
            "prompt": self.facts["prompt"],
            # All that is asked of it: what else is known of a picture is read from the receipt itself.
            "result": {"image_url": self.facts.get("image_url") or self.facts.get("source")},
        }

    def begin(self, entry: Mapping[str, Any]) -> None:
        """Claim the next request and say that it is on its way; nobody else sends it.

        :raises TakenError: if another task was faster.
        """
        until = moment_in(self._lease())
        number = self.facts["requests"] + 1 if self.facts else 1
        with self._naming_the_place():
            if self.facts is None:
                try:
                    self._write(self._asked(entry, number, until), exclusive=True)
                except FileExistsError:
                    raise TakenError(self.location) from None
                return
            with claimed(
                self.location, number, owner=self._owner, until=until, is_current=self._is_current
            ) as claimed_number:
                self._write(self._asked(entry, claimed_number, until))

    def save(self, entry: Mapping[str, Any]) -> None:
        """Say that the request was answered, refused, or lost.

        An answer may come so late that another task has taken over. What that one has paid for, or waits for, is left
        as it is: its request is on its way, and a third one is not to be sent beside it.
        """
        facts = self.facts or {}
        replaces = _replaced(facts)
        if entry["state"] == "delivered":
            paid = self._facts(entry, state="answered", requests=facts["requests"]) | dict(entry["result"])
            others = self.written_meanwhile()
            if others.get("state") not in PAID and not self._is_anothers_work(others):
                paid |= self._beside(others) if others else replaces
                self._write_patiently({**paid, "credits": CREDITS, "busy_until": moment_in(self._lease())})
        elif entry["state"] == "sent":
            self.release()
        elif not self._is_current():
            log.warning("%s was written by another task meanwhile: it is left as it is.", self.location)
        elif entry["unanswered"]:
            self._write(self._facts(entry, state="refused", requests=facts["requests"]) | replaces)
        elif replaces:
            self._write({**facts["replaces"], "requests": facts["requests"]})
        else:
            self.location.remove()
            self._content = self._attempted = self.facts = None

    def release(self) -> None:
        """Say that nobody is at work any more, unless another task is by now."""
        if self._is_current():
            self._write({name: value for name, value in (self.facts or {}).items() if name != "busy_until"})

    def release_quietly(self) -> None:
        """As :meth:`release`, for one who has an error of his own to raise."""
        try:
            self.release()
        except Exception:
            log.warning("%s could not be written", self.location, exc_info=True)

    def written_meanwhile(self) -> dict[str, Any]:
        """Return what another task has written since; nothing, too, if that cannot be read."""
        try:
            if not self._is_current():
                return read(self.location.read(LIMIT) or b"", self.location, self._files)
        except Exception:  # a store that fails, or what is no receipt: the answer in hand counts for more
            log.warning("%s could not be read again", self.location, exc_info=True)
        return {}

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

    def _asked(self, entry: Mapping[str, Any], number: int, until: str) -> dict[str, Any]:
        before = self.facts or {}
        replaced = before if before.get("state") == "stored" else before.get("replaces")
        asked = {**self._facts(entry, state="asked", requests=number), "busy_until": until}
        return {**asked, "replaces": replaced} if replaced else asked

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
        content = {"talecraft_receipt": VERSION, "about": about(facts), **facts}
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        # Known first: what a store that fails now does not take, it may take with the next state.
        self.facts, self._attempted = facts, text.encode()
        self.location.put(self._attempted, content_type=CONTENT_TYPE, exclusive=exclusive)
        self._content = self._attempted

    def _write_patiently(self, facts: dict[str, Any]) -> None:
        """Write what nobody else knows. A store that is full, or gone, for a minute must not cost a second charge."""
        until = time.monotonic() + PATIENCE
        for wait in chain(WAITS, repeat(WAITS[-1])):
            try:
                self._write(facts)
            except Exception as error:
                if time.monotonic() + wait > until:
                    raise
                log.warning("%s could not be written (%s): again in %d s.", self.location, type(error).__name__, wait)
            else:
                return
            time.sleep(wait)

    @contextmanager
    def _naming_the_place(self) -> Iterator[None]:
        """Say where it is that nothing can be read or written, before anything is paid.

        :raises AirflowFailException: if another try would meet the same.
        """
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
            raise AirflowFailException(
                f"{self.location} cannot be read or written ({type(error).__name__}: {error}): nothing was sent. Check "
                "dst, and what its connection may do there."
            ) from error

    def _is_anothers_work(self, facts: Mapping[str, Any]) -> bool:
        return facts.get("state") in BUSY and not self.wrote(facts) and not is_over(facts)

    def _is_current(self) -> bool:
        """Return whether it stands as it was last read or written here, so that no other task has taken over."""
        return self.location.read(LIMIT) in (self._content, self._attempted)

    def _beside(self, others: Mapping[str, Any]) -> dict[str, Any]:
        """Return what to keep of *others*, who went by the request that is answered now as one without an answer."""
        mine = (self.facts or {})["unanswered"][-1]
        unanswered = list(others["unanswered"])
        if mine in unanswered:
            unanswered.remove(mine)
        kept = {"requests": others["requests"], "replays": others["replays"], "unanswered": unanswered}
        return kept | _replaced(others)


def _replaced(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"replaces": facts["replaces"]} if facts.get("replaces") else {}

"""From a prompt to a picture in its place, once: what stands is found, what was paid for is fetched, else it is drawn.

The order of events is that of the receipt's states: asked, answered, fetched; the picture is put in its place; stored.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.pictures.fetching import without_query
from airflow_provider_talecraft.pictures.place import ObjectLocation
from airflow_provider_talecraft.spending.claims import OWNER, TakenError
from airflow_provider_talecraft.spending.form import PAID
from airflow_provider_talecraft.spending.metrics import ANOTHER_TASK, Metrics
from airflow_provider_talecraft.spending.receipt import NAME, Receipt
from airflow_provider_talecraft.spending.record import SpendRecord, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
    from airflow_provider_talecraft.spending.terms import Terms

log = logging.getLogger(__name__)

#: Seconds between two looks at a receipt while another task's request is on its way.
LOOK = 1.0
PICTURE = ("id", "status", "prompt", "style", "aspect_ratio")


class DrawOnce:
    """One picture, from its prompt to its place. What it offers is what ``SpendRecord`` offers.

    :param requests: what to ask for; the others are fallbacks.
    :param ti: the task instance.
    :param name: the picture's name in a folder; "" for the request's fingerprint.
    :raises AirflowFailException: if what stands at the destination is not ours, or is not what the receipt says.
    """

    def __init__(self, requests: Sequence[IllustrationRequest], terms: Terms, ti: Any, *, name: str = "") -> None:
        self._terms = terms
        self._ti = ti
        self._metrics = Metrics(ti, terms.talecraft_conn_id)
        self._fingerprint = fingerprint(*(request.payload() for request in requests))
        self._folder, self._name = terms.delivery.folder_and_name(name or self._fingerprint[:NAME])
        self._files = terms.delivery.possible_names(self._name)
        asked = {**requests[0].payload(), "fallback_prompts": [request.prompt for request in requests[1:]]}
        self._receipt = Receipt(
            self._folder / f"{self._name}.json",
            files=self._files,
            request=asked,
            owner={field: getattr(ti, field) for field in OWNER},
            lease=terms.lease,
        )
        #: The output, if the picture stands and nothing is to be drawn.
        self.delivered: dict[str, Any] | None = None
        #: The receipt's facts of the picture that was returned.
        self._returned: dict[str, Any] = {}
        self._look()

    @property
    def uri(self) -> str:
        """Where the picture stands, as an asset is called."""
        return ObjectLocation(self._folder / self._returned["file"]).uri

    @property
    def is_paid(self) -> bool:
        """Whether it is paid for, and only to be fetched and put in its place."""
        return self.delivered is None and self._record.was_paid

    @property
    def was_paid(self) -> bool:
        """Whether it was paid for before this try, by whomever."""
        return self.delivered is not None or self._record.was_paid

    @property
    def is_own(self) -> bool:
        """Whether what was returned was paid for by this task instance, in this try or an earlier one."""
        return self._receipt.wrote(self._returned)

    @property
    def replays(self) -> int:
        return 0 if self.delivered else self._record.replays

    @property
    def unanswered(self) -> int:
        return 0 if self.delivered else self._record.unanswered

    def raise_if_given_up(self) -> None:
        """As :meth:`SpendRecord.raise_if_given_up`."""
        if self.delivered is None:
            self._record.raise_if_given_up()

    def obtain(
        self, requests: Sequence[IllustrationRequest], send: Callable[[IllustrationRequest], Illustration]
    ) -> dict[str, Any]:
        """Return where the picture stands and from what it was drawn; ``drawn`` says whether it was paid for now.

        :raises TakenError: if another task begins to draw it at this moment, and nothing was sent; or if the answer
            came so late that another task draws it, or has drawn it.
        """
        if self.delivered:
            return self.delivered
        drawn = self._record.obtain(requests, send)
        self._raise_if_late(drawn)
        try:
            self._land(drawn)
        except BaseException:
            self._receipt.release_quietly()
            raise
        return self._output(self._receipt.facts or {}, drawn=True)

    def obtain_or_wait(
        self, requests: Sequence[IllustrationRequest], send: Callable[[IllustrationRequest], Illustration]
    ) -> dict[str, Any]:
        """As :meth:`obtain`, but wait for the other task, and return what it drew."""
        until = time.monotonic() + self._terms.lease()
        while True:
            try:
                return self.obtain(requests, send)
            except TakenError:
                if time.monotonic() > until:
                    raise
            time.sleep(LOOK)
            self._receipt.refresh()
            self._look()

    def _look(self) -> None:
        """Find what stands; else prepare to draw."""
        self._wait_for_others()
        self.delivered = self._standing()
        if self.delivered is None:
            self._record = SpendRecord(
                self._receipt,
                fingerprint=self._fingerprint,
                max_tries=self._ti.max_tries + 1,
                try_number=1,
                max_replays=self._terms.max_replays,
                valid_since=self._ti.max_tries + 1 if self._terms.redraw == "always" else 0,
                metrics=self._metrics,
            )
            if self._record.delivered is None:
                self._refuse_strangers()

    def _wait_for_others(self) -> None:
        """Wait while another task is at work, but not longer than one can be.

        :raises TakenError: then.
        """
        if not self._receipt.is_busy:
            return
        log.info("Another task draws this picture now, says %s: waiting for it.", self._receipt.place)
        until = (since := time.monotonic()) + self._terms.lease()
        while self._receipt.is_busy:
            if time.monotonic() > until:
                raise TakenError(self._receipt.location)
            time.sleep(LOOK)
            self._receipt.refresh()
        self._metrics.waited(time.monotonic() - since, ANOTHER_TASK)

    def _standing(self) -> dict[str, Any] | None:
        """Return the output if the picture stands and is what the receipt says.

        :raises AirflowFailException: if it is not what the receipt says.
        """
        receipt = self._receipt
        finished = receipt.state == "fetched" and self._stands(receipt.facts or {})
        if finished:
            log.info("The picture was put there by an earlier try, and not described: it is now.")
            self._finish()
        facts = receipt.facts or {}
        if receipt.state != "stored":
            return self._spared(facts)
        location = ObjectLocation(self._folder / facts["file"])
        if location.size() is None:
            log.warning("%s is gone, its receipt is not: it is drawn again.", location)
            receipt.picture_is_gone()
            return None
        mine = receipt.is_ours and facts["max_tries"] == self._ti.max_tries + 1
        if self._terms.redraw == "always" and not mine:
            return None
        if not self._stands(facts):
            raise AirflowFailException(
                f"{location} is not the picture that its receipt describes: nothing was sent. Move it away, or use "
                'redraw="always" to draw over it.'
            )
        if facts["fingerprint"] == self._fingerprint or self._terms.redraw == "never":
            log.info("%s stands already, drawn on %s: nothing is paid.", location, facts.get("stored_at"))
            return self._output(facts, drawn=finished)
        log.warning("%s was drawn for another request: it is drawn again, and replaced.", location)
        return None

    def _spared(self, facts: dict[str, Any]) -> dict[str, Any] | None:
        """Return the output if the picture that another request was to replace stands still, and is to be returned."""
        old = facts.get("replaces")
        if not old or (facts["state"] in PAID and self._is_for_us(facts)):  # a newer one is paid for: on with that
            return None
        if (self._is_for_us(old) or self._terms.redraw == "never") and self._stands(old):
            log.info("%s stands still, though another request was to replace it: nothing is paid.", old["file"])
            return self._output(old, drawn=False)
        return None

    def _is_for_us(self, facts: dict[str, Any]) -> bool:
        mine = self._receipt.wrote(facts) and facts["max_tries"] == self._ti.max_tries + 1
        return facts["fingerprint"] == self._fingerprint and (mine or self._terms.redraw != "always")

    def _refuse_strangers(self) -> None:
        """Make sure, before anything is paid, that the picture will have its place, whatever its type."""
        facts = self._receipt.facts or {}
        own = [described.get("file") for described in (facts, facts.get("replaces") or {})]
        places = [ObjectLocation(self._folder / name) for name in self._files]
        for location in (*places, self._receipt.location):
            if location.is_folder():
                raise AirflowFailException(
                    f"{location} is a folder: nothing was sent. With a slash at its end, dst is a folder to draw into."
                )
        for location in places:
            is_ours = self._terms.redraw == "always" or location.path.name in own
            if not is_ours and location.size() is not None:
                raise AirflowFailException(
                    f"{location} stands there without a receipt, so it is somebody else's: nothing was sent. Choose "
                    'another place, or redraw="always" to draw over it.'
                )

    def _land(self, drawn: dict[str, str]) -> None:
        """Fetch what is paid for, put it in its place, and describe it."""
        receipt, delivery = self._receipt, self._terms.delivery
        facts = receipt.facts or {}
        with delivery.fetched(drawn["image_url"]) as picture:
            name = delivery.file_name(self._name, picture)
            location = ObjectLocation(self._folder / name)
            self._raise_if_late(drawn)
            self._refuse_a_stranger_at(location, facts.get("replaces"), picture.sha256)
            receipt.advance("fetched", source=without_query(drawn["image_url"]), file=name, **picture.facts())
            picture.put(location, {field: facts.get(field) for field in PICTURE})
        self._finish()

    def _raise_if_late(self, drawn: dict[str, str]) -> None:
        """Raise if another task has taken over meanwhile: its receipt and its picture are left as they are.

        :raises TakenError: if it draws the same; that is found, or waited for.
        :raises AirflowFailException: if that would not do, and the picture would be drawn, and paid for, once more.
        """
        others = self._receipt.written_meanwhile()
        if not others:
            return
        what = f"this one's is paid for too, and is at {without_query(drawn['image_url'])}"
        if others["fingerprint"] == self._fingerprint and self._terms.redraw != "always":
            log.warning("%s: another task draws this picture, or has drawn it; %s", self._receipt.place, what)
            raise TakenError(self._receipt.location, what)
        raise AirflowFailException(
            f"Another picture was asked for here meanwhile, says {self._receipt.place}; {what}. Clear the task to draw "
            "it again, and pay again."
        )

    def _finish(self) -> None:
        """Say that the picture stands, and remove the one it replaces, if that has another name."""
        facts = self._receipt.facts or {}
        old = facts.get("replaces")
        if old and old["file"] != facts["file"]:
            ObjectLocation(self._folder / old["file"]).remove()
        moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._receipt.advance("stored", image_url=None, busy_until=None, replaces=None, stored_at=moment)

    def _stands(self, facts: dict[str, Any]) -> bool:
        location = ObjectLocation(self._folder / facts["file"])
        return bool(location.size() == facts["bytes"] and location.sha256() == facts["sha256"])

    def _refuse_a_stranger_at(self, location: ObjectLocation, old: dict[str, Any] | None, sha256: str) -> None:
        ours = self._terms.redraw == "always" or (old and self._folder / old["file"] == location.path)
        if not ours and location.size() is not None and location.sha256() != sha256:
            raise AirflowFailException(
                f"{location} was put there by somebody else meanwhile. The picture is paid for, and "
                f"{self._receipt.place} knows where it is: move the other file away and clear the task, at no cost."
            )

    def _output(self, facts: dict[str, Any], *, drawn: bool) -> dict[str, Any]:
        self._returned = facts
        return {
            **{field: facts.get(field) for field in PICTURE},
            "image_url": facts["source"],
            "path": str(self._folder / facts["file"]),
            "size": facts["bytes"],
            **{field: facts[field] for field in ("sha256", "content_type", "width", "height")},
            "drawn": drawn,
        }

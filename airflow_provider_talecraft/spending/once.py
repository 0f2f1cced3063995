"""From a prompt to a picture in its place, once: what stands is found, what was paid for is fetched, else it is drawn.

The order of events is that of the receipt's states: asked, answered, fetched; the picture is put in its place; stored.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.pictures.fetching import without_query
from airflow_provider_talecraft.pictures.place import ObjectLocation
from airflow_provider_talecraft.spending.receipt import NAME, OWNER, Receipt
from airflow_provider_talecraft.spending.record import SpendRecord, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
    from airflow_provider_talecraft.pictures.delivery import Delivery
    from airflow_provider_talecraft.spending.receipt import Redraw

log = logging.getLogger(__name__)


#: Seconds between two looks at a receipt while another task's request is on its way.
LOOK = 1.0
PICTURE = ("id", "status", "prompt", "style", "aspect_ratio")


@dataclass(frozen=True)
class Terms:
    """The conditions that all pictures of a task have in common.

    :param delivery: where they go, and how they are fetched.
    :param redraw: what another request's picture means: "when_changed" replaces it, "never" leaves it, "always" draws
        in every run, whatever stands.
    :param max_replays: how often a request may be sent although an earlier one had no answer.
    :param lease: returns the seconds after which a request is not on its way any more.
    """

    delivery: Delivery
    redraw: Redraw
    max_replays: int
    lease: Callable[[], float]


class DrawOnce:
    """One picture, from its prompt to its place. What it offers is what ``SpendRecord`` offers.

    :param requests: what to ask for; the others are fallbacks.
    :param ti: the task instance.
    :param name: the picture's name in a folder; "" for the request's fingerprint.
    :raises AirflowFailException: if what stands at the destination is not ours, or is not what the receipt says.
    """

    def __init__(self, requests: Sequence[IllustrationRequest], terms: Terms, ti: Any, *, name: str = "") -> None:
        self._terms = terms
        self._fingerprint = fingerprint(*(request.payload() for request in requests))
        self._folder, self._name = terms.delivery.folder_and_name(name or self._fingerprint[:NAME])
        asked = {**requests[0].payload(), "fallback_prompts": [request.prompt for request in requests[1:]]}
        self._receipt = Receipt(
            self._folder / f"{self._name}.json",
            request=asked,
            owner={field: getattr(ti, field) for field in OWNER},
            lease=terms.lease,
        )
        self._wait_for_others()
        self._ti = ti
        #: The output, if the picture stands and nothing is to be drawn.
        self.delivered = self._standing()
        if self.delivered is None:
            self._record = SpendRecord(
                self._receipt,
                fingerprint=self._fingerprint,
                max_tries=ti.max_tries + 1,
                try_number=1,
                max_replays=terms.max_replays,
                valid_since=ti.max_tries + 1 if terms.redraw == "always" else 0,
            )

    @property
    def uri(self) -> str:
        """Where the picture stands, as an asset is called."""
        return ObjectLocation(self._folder / (self._receipt.facts or {})["file"]).uri

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
        """Return where the picture stands and from what it was drawn; ``drawn`` says whether it was paid for now."""
        if self.delivered:
            return self.delivered
        drawn = self._record.obtain(requests, send)
        self._land(drawn)
        return self._output(drawn=True)

    def _wait_for_others(self) -> None:
        said = False
        while self._receipt.is_busy:
            if not said:
                log.info("Another task draws this picture now, says %s: waiting for it.", self._receipt.place)
                said = True
            time.sleep(LOOK)
            self._receipt.refresh()

    def _standing(self) -> dict[str, Any] | None:
        """Return the output if the picture stands and is what the receipt says.

        :raises AirflowFailException: if it is somebody else's, or not what the receipt says.
        """
        receipt, always = self._receipt, self._terms.redraw == "always"
        if receipt.facts is None:
            if not always:
                self._refuse_strangers()
            return None
        if receipt.state != "stored":
            return None
        facts = receipt.facts
        location = ObjectLocation(self._folder / facts["file"])
        if location.size() is None:
            log.warning("%s is gone, its receipt is not: it is drawn again.", location)
            receipt.picture_is_gone()
            return None
        mine = receipt.is_ours and facts["max_tries"] == self._ti.max_tries + 1
        if always and not mine:
            return None
        if location.sha256() != facts["sha256"]:
            raise AirflowFailException(
                f"{location} is not the picture that its receipt describes: nothing was sent. Move it away, or use "
                'redraw="always" to draw over it.'
            )
        if facts["fingerprint"] == self._fingerprint or self._terms.redraw == "never":
            log.info("%s stands already, drawn on %s: nothing was paid.", location, facts.get("stored_at"))
            return self._output(drawn=False)
        log.warning("%s was drawn for another request: it is drawn again, and replaced.", location)
        return None

    def _refuse_strangers(self) -> None:
        for name in self._terms.delivery.possible_names(self._name):
            location = ObjectLocation(self._folder / name)
            if location.size() is not None:
                raise AirflowFailException(
                    f"{location} stands there without a receipt, so it is somebody else's: nothing was sent. Choose "
                    'another place, or redraw="always" to draw over it.'
                )

    def _land(self, drawn: dict[str, str]) -> None:
        """Fetch what is paid for, put it in its place, and describe it; go on where an earlier try ended."""
        receipt, delivery = self._receipt, self._terms.delivery
        facts = receipt.facts or {}
        if receipt.state == "fetched" and self._stands(facts):
            log.info("The picture was stored by an earlier try.")
            receipt.advance("stored", **self._stored_now())
            return
        source = without_query(drawn["image_url"])
        old = facts.get("replaces")
        with delivery.fetched(drawn["image_url"]) as picture:
            name = delivery.file_name(self._name, picture)
            location = ObjectLocation(self._folder / name)
            self._refuse_a_stranger_at(location, old, picture.sha256)
            receipt.advance("fetched", source=source, file=name, **picture.facts())
            picture.put(location, {field: facts.get(field) for field in PICTURE})
        if old and old["file"] != name:
            ObjectLocation(self._folder / old["file"]).remove()
        receipt.advance("stored", **self._stored_now())

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

    @staticmethod
    def _stored_now() -> dict[str, Any]:
        moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return {"image_url": None, "busy_until": None, "replaces": None, "stored_at": moment}

    def _output(self, *, drawn: bool) -> dict[str, Any]:
        facts = self._receipt.facts or {}
        return {
            **{field: facts.get(field) for field in PICTURE},
            "image_url": facts["source"],
            "path": str(self._folder / facts["file"]),
            "size": facts["bytes"],
            **{field: facts[field] for field in ("sha256", "content_type", "width", "height")},
            "drawn": drawn,
        }

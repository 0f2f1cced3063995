"""Which illustration meets which fault, and whose process is killed. Decided by the seed alone; starts nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

#: Seconds that a request whose process is to be killed stays on its way: enough to find that process.
HELD = 40
HTML_502 = {"body": "<html><h1>502 Bad Gateway</h1></html>", "content_type": "text/html", "status": 502, "charge": True}
HTML_504 = {**HTML_502, "body": "<html><h1>504 Gateway Time-out</h1></html>", "status": 504}
SUCCESS_WITHOUT_URL = '{"code": 0, "message": "ok", "data": {"id": "1", "status": "success"}}'
SUCCESS_WITH_NULL_URL = '{"code": 0, "message": "ok", "data": {"id": "1", "status": "success", "image_url": null}}'


@dataclass(frozen=True)
class Kind:
    """One kind of bad luck.

    :param share: how many of 100 illustrations meet it.
    :param fault: the sandbox's script for it; None for none.
    :param lost: how many of the first answers are charged and lost, whoever asks: no client can win those charges back.
    :param killed: "before" or "after": the process that holds the first request is killed before or after the charge.
    """

    share: int
    fault: dict[str, Any] | None = None
    lost: int = 0
    killed: str = ""


KINDS = {
    "no fault": Kind(60),
    # Refused, and not charged.
    "Generation failed, once": Kind(4, {"message": "Generation failed"}),
    "unknown message, once": Kind(3, {"message": "fetch failed"}),
    "429 with Retry-After, once": Kind(4, {"status": 429, "retry_after": 2}),
    "503, once": Kind(4, {"status": 503}),
    "insufficient credits, always": Kind(2, {"message": "insufficient credits", "times": None}),
    "Invalid API key, always": Kind(1, {"message": "Invalid API key", "times": None}),
    # The answer is lost, once.
    "dropped before the charge, once": Kind(3, {"drop": "before_charge"}),
    "dropped after the charge, once": Kind(3, {"drop": "after_charge"}, lost=1),
    "cut short after the charge, once": Kind(3, {"truncate": 30}, lost=1),
    "HTML 502 after the charge, once": Kind(3, HTML_502, lost=1),
    "success without image_url, once": Kind(1, {"body": SUCCESS_WITHOUT_URL, "charge": True}, lost=1),
    "success with image_url null, once": Kind(1, {"body": SUCCESS_WITH_NULL_URL, "charge": True}, lost=1),
    # The answer is lost more than once.
    "dropped after the charge, twice": Kind(1, {"drop": "after_charge", "times": 2}, lost=1),
    "HTML 504 after the charge, always": Kind(2, {**HTML_504, "times": None}, lost=1),
    # A delay that is never waited out: somebody is killed. The work goes on upstream, and is charged.
    "killed before the charge": Kind(2, {"delay_before_charge": HELD}, lost=1, killed="before"),
    "killed after the charge": Kind(3, {"delay_after_charge": HELD}, lost=1, killed="after"),
}


@dataclass(frozen=True)
class Illustration:
    """One page of the book that every contestant is asked to draw.

    :param number: from 0; also the map index of its tasks.
    """

    number: int
    name: str

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    @property
    def prompt(self) -> str:
        return f"{self._page}: a fox and a hen share an umbrella"

    @property
    def faults(self) -> list[dict[str, Any]]:
        return [] if self.kind.fault is None else [{"prompt": self._page, **self.kind.fault}]

    @property
    def _page(self) -> str:
        return f"page {self.number:05}"


def mix(seed: int, count: int) -> list[Illustration]:
    """Return *count* illustrations; the same seed gives the same ones, and a smaller count the first of them.

    Every hundred has exactly the shares of ``KINDS``, shuffled.
    """
    dice = random.Random(seed)
    hundred = [name for name, kind in KINDS.items() for _ in range(kind.share)]
    names: list[str] = []
    while len(names) < count:
        names += dice.sample(hundred, len(hundred))
    return [Illustration(number, name) for number, name in enumerate(names[:count])]

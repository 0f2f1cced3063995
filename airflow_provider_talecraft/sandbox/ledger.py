"""The account's book: credits, charges, and what became of each request. Knows no HTTP and keeps no key.

Memory is bounded. Charges keep their whole prompt, because the picture is painted from it, so the oldest are forgotten
once there are more than MAX_CHARGES or their prompts take more than MAX_PROMPT_CHARS; the totals stay exact. Requests
keep only the start of a prompt, and the newest MAX_REQUESTS.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PRICE = 2
MAX_CHARGES = 50_000
MAX_PROMPT_CHARS = 32 * 1024 * 1024
MAX_REQUESTS = 50_000
PREVIEW_CHARS = 200


@dataclass(frozen=True, kw_only=True)
class Order:
    """A generation that passed the checks."""

    prompt: str
    style: str
    aspect_ratio: str


@dataclass(kw_only=True)
class Charge:
    """What was paid for. ``picture`` names the image and differs from ``id``, as it does upstream."""

    id: str
    picture: str
    time: float
    order: Order
    image_url: str
    answered: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "time": self.time,
            "prompt": self.order.prompt,
            "style": self.order.style,
            "aspect_ratio": self.order.aspect_ratio,
            "credits": PRICE,
            "image_url": self.image_url,
            "answered": self.answered,
        }


@dataclass(kw_only=True)
class Arrival:
    """One request to generate, from its arrival on."""

    time: float
    prompt: str | None = None
    outcome: str = "in progress"
    message: str | None = None

    def end(self, outcome: str, message: str | None = None) -> None:
        self.outcome, self.message = outcome, message

    def as_dict(self) -> dict[str, Any]:
        return {"time": self.time, "prompt": self.prompt, "outcome": self.outcome, "message": self.message}


class Reservation:
    """Credits set aside for one generation: charged, or given back."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.charged = False

    def charge(self, order: Order, base_url: str) -> Charge:
        """Record the generation and take its price, in one step."""
        self.charged = True
        return self._ledger._charge(order, base_url)  # noqa: SLF001 - its own ledger


class Ledger:
    """One account's book from one reset to the next.

    :param credits_: the balance it opens with.
    """

    def __init__(self, credits_: int) -> None:
        self._free = credits_
        self._held = 0
        self.spent = 0
        self._charges: dict[str, Charge] = {}
        self._prompt_chars = 0
        self._charged = 0
        self.arrivals = 0
        self._requests: deque[Arrival] = deque(maxlen=MAX_REQUESTS)

    @property
    def credits(self) -> int:
        """What is left. Credits of a generation that is still running count until it is charged."""
        return self._free + self._held

    def set_credits(self, credits_: int) -> None:
        """Set the balance. What running generations have set aside stays theirs, so it never falls below zero."""
        self._free = max(0, credits_ - self._held)

    def arrive(self) -> Arrival:
        arrival = Arrival(time=time.time())
        self.arrivals += 1
        self._requests.append(arrival)
        return arrival

    @contextmanager
    def reserve(self) -> Iterator[Reservation | None]:
        """Set one generation's price aside; None if there is too little, also because others have reserved it."""
        if self._free < PRICE:
            yield None
            return
        self._free -= PRICE
        self._held += PRICE
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            if not reservation.charged:
                self._held -= PRICE
                self._free += PRICE

    def picture(self, name: str) -> Order | None:
        """What the picture of that name shows; None for one that was never paid for, or is forgotten."""
        charge = self._charges.get(name)
        return charge.order if charge else None

    def latest(self, count: int) -> list[Charge]:
        """The newest charges, newest first."""
        newest = reversed(self._charges.values())
        return [charge for charge, _ in zip(newest, range(count), strict=False)]

    def latest_arrivals(self, count: int) -> list[Arrival]:
        """The newest requests, newest first."""
        return [arrival for arrival, _ in zip(reversed(self._requests), range(count), strict=False)]

    def as_dict(self) -> dict[str, Any]:
        return {
            "credits": self.credits,
            "spent": self.spent,
            "charges": [charge.as_dict() for charge in self._charges.values()],
            "requests": [arrival.as_dict() for arrival in self._requests],
            "forgotten_charges": self._charged - len(self._charges),
        }

    def _charge(self, order: Order, base_url: str) -> Charge:
        picture = str(uuid.uuid4())
        charge = Charge(
            id=str(uuid.uuid4()),
            picture=picture,
            time=time.time(),
            order=order,
            image_url=f"{base_url}/uploads/illustrations/{picture}.jpeg",
        )
        self._held -= PRICE
        self.spent += PRICE
        self._charged += 1
        self._charges[picture] = charge
        self._prompt_chars += len(order.prompt)
        while len(self._charges) > MAX_CHARGES or self._prompt_chars > MAX_PROMPT_CHARS:
            oldest = self._charges.pop(next(iter(self._charges)))
            self._prompt_chars -= len(oldest.order.prompt)
        return charge

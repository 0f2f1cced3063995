"""Scripted faults: what can be asked for, what is nonsense, and which request takes which. Sends nothing itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_talecraft.sandbox import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BEFORE_CHARGE = "before_charge"
AFTER_CHARGE = "after_charge"
_EFFECTS = ("message", "body", "page", "redirect", "drop", "truncate")
_DELAYS = ("delay_before_charge", "delay_after_charge")
_BODILESS = (204, 304)
_FRAMING = ("content-length", "transfer-encoding")
_REDIRECTS = range(300, 400)
_MOST_INTERIM = 5000
_SWITCHING = 101
_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>Error {0}</h1></body></html>"


class Answer(NamedTuple):
    """One HTTP answer, ready to send."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of_json(cls, payload: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        return cls(status, {"content-type": "application/json", **(headers or {})}, json.dumps(payload).encode())


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One scripted fault; ``docs/sandbox.md`` explains each field. Built by :func:`parse_fault`, which checks."""

    prompt: str | None = None
    times: int | None = 1
    message: str | None = None
    status: int | None = None
    retry_after: str | None = None
    delay_before_charge: float = 0.0
    delay_after_charge: float = 0.0
    drop: str | None = None
    truncate: int | None = None
    body: str | None = None
    page: int | None = None
    interim: tuple[int, ...] = ()
    content_type: str | None = None
    charge: bool | None = None
    redirect: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def charged(self) -> bool:
        """Whether the request passes the checks and is charged; if not, it is answered before the checks."""
        if self.message is not None or self.redirect is not None or self.drop == BEFORE_CHARGE:
            return False
        return bool(self.charge) or (self.body is None and self.page is None and self.status is None)

    def matches(self, prompt: str | None) -> bool:
        return self.prompt is None or (prompt is not None and self.prompt in prompt)

    def answer(self) -> Answer | None:
        """What is sent in place of the service's own answer; None if the fault only delays, cuts or drops that."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.retry_after is not None:
            headers["retry-after"] = self.retry_after
        if self.message is not None:
            envelope = {"code": -1, "message": self.message}
            return Answer.of_json(envelope, status=self.status or 200, headers=headers)
        if self.redirect is not None:
            return Answer(self.status or 307, {"location": self.redirect, **headers}, b"")
        if self.body is not None:
            content_type = self.content_type or "application/json"
            return Answer(self.status or 200, {"content-type": content_type, **headers}, self.body.encode())
        if self.page is not None:
            return Answer(self.page, {"content-type": "text/html", **headers}, _PAGE.format(self.page).encode())
        if self.status is not None:
            return Answer(self.status, headers, b"")
        return None

    def describe(self) -> str:
        """What became of the request, for the ledger."""
        if self.message is not None:
            return self.message
        if self.drop is not None:
            return f"connection dropped {self.drop.replace('_', ' the ')}"
        if self.truncate is not None:
            return f"answer cut after {self.truncate} bytes"
        return f"scripted answer, HTTP {self.status or self.page or (307 if self.redirect is not None else 200)}"


class FaultQueue:
    """The faults that wait for a request, in the order they were given."""

    def __init__(self) -> None:
        self._waiting: list[tuple[dict[str, Any], Fault]] = []
        self._left: list[int | None] = []

    def add(self, scripts: object) -> None:
        """Queue one fault object or a list of them; all or none.

        :raises ValueError: with a sentence that names the field.
        """
        several: list[Any] = scripts if isinstance(scripts, list) else [scripts]
        parsed = [(script, parse_fault(script)) for script in several]
        self._waiting += parsed
        self._left += [fault.times for _, fault in parsed]

    def take(self, prompt: str | None) -> Fault | None:
        """The first fault that matches, used up by one."""
        for index, (_, fault) in enumerate(self._waiting):
            if fault.matches(prompt):
                left = self._left[index]
                if left is not None:
                    self._left[index] = left - 1
                    if left == 1:
                        del self._waiting[index], self._left[index]
                return fault
        return None

    def clear(self) -> None:
        self._waiting.clear()
        self._left.clear()

    def as_list(self) -> list[dict[str, Any]]:
        """The faults as they were given, with ``times`` counted down."""
        pairs = zip(self._waiting, self._left, strict=True)
        return [{**script, "times": left} for (script, _), left in pairs]


def parse_fault(script: object) -> Fault:
    """Check one fault object.

    :raises ValueError: with a sentence that names the field.
    """
    if not isinstance(script, dict):
        raise ValueError(f"a fault is an object, not {_name(script)}")  # noqa: TRY004 - one kind of error for all
    fields: dict[str, Any] = {}
    for name, value in script.items():
        check = _CHECKS.get(name)
        if check is None:
            raise ValueError(f"unknown field {name!r}; known are {', '.join(_CHECKS)}")
        try:
            fields[name] = check(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    _check_combination(fields)
    return Fault(**fields)


def _check_combination(given: dict[str, Any]) -> None:
    effects = [name for name in _EFFECTS if name in given]
    if len(effects) > 1:
        raise ValueError(f"{effects[0]} and {effects[1]} contradict each other: a fault has one effect")
    effect = effects[0] if effects else "status" if "status" in given else None
    if effect is None and not given.keys() & {*_DELAYS, "headers", "interim"}:
        raise ValueError(f"a fault needs an effect: {', '.join((*_EFFECTS, 'status', 'headers', 'interim', *_DELAYS))}")
    for name, allowed in _GOES_WITH.items():
        if name in given and effect not in allowed:
            kinds = ", ".join(kind for kind in allowed if kind)
            raise ValueError(f"{name} goes with {kinds}, not with {effect or 'an answer that is only delayed'}")
    status = given.get("status")
    if status in _BODILESS and effect != "status":
        raise ValueError(f"status: an answer with status {status} has no body, so {effect} contradicts it")
    if effect == "redirect" and status is not None and status not in _REDIRECTS:
        raise ValueError(f"status: a redirect has a status from 300 to 399, not {status}")


_GOES_WITH: dict[str, tuple[str | None, ...]] = {
    "status": ("message", "body", "redirect", "status"),
    "retry_after": ("message", "body", "page", "redirect", "status"),
    "charge": ("body", "page", "status"),
    "content_type": ("body",),
    "headers": ("message", "body", "page", "redirect", "truncate", "status", None),
    "interim": ("message", "body", "page", "redirect", "truncate", "status", None),
}


def _name(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a string is wanted, not {_name(value)}")  # noqa: TRY004 - as above
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("the text holds half a surrogate pair") from error
    return value


def _header_value(value: Any) -> str:
    text = _text(value)
    if text != text.strip(" \t") or not re.fullmatch(r"[\t -~\xa0-\xff]*", text):
        raise ValueError("a header value has no line breaks, outer blanks, control characters or non-Latin-1 ones")
    return text


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"an object of header names and values is wanted, not {_name(value)}")  # noqa: TRY004 - as above
    for name, text in value.items():
        if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ValueError(f"{name!r} is not a header name")
        if name.lower() in _FRAMING:
            raise ValueError(f"{name} is the server's own; truncate sends a wrong one")
        _header_value(text)
    return dict(value)


def _retry_after(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _header_value(value)


def _whole(low: int, high: int | None = None) -> Callable[[Any], int]:
    wanted = f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high and value > high):
            raise ValueError(f"{wanted} is wanted")
        return value

    return check


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a number of seconds is wanted, not {_name(value)}")  # noqa: TRY004 - as above
    return settings.seconds(value)


def _interim(value: Any) -> tuple[int, ...]:
    check = _whole(100, 199)
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_INTERIM or _SWITCHING in value:
        raise ValueError(f"a list of 1 to {_MOST_INTERIM} statuses from 100 to 199 is wanted, without 101")
    return tuple(check(status) for status in value)


def _times(value: Any) -> int | None:
    return None if value is None else _whole(1)(value)


def _drop(value: Any) -> str:
    if value not in (BEFORE_CHARGE, AFTER_CHARGE):
        raise ValueError(f"{BEFORE_CHARGE!r} or {AFTER_CHARGE!r} is wanted")
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"true or false is wanted, not {_name(value)}")  # noqa: TRY004 - as above
    return value


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "prompt": _text,
    "times": _times,
    "message": _text,
    "status": _whole(200, 599),
    "retry_after": _retry_after,
    "delay_before_charge": _seconds,
    "delay_after_charge": _seconds,
    "drop": _drop,
    "truncate": _whole(0),
    "body": _text,
    "page": _whole(400, 599),
    "interim": _interim,
    "content_type": _header_value,
    "charge": _flag,
    "redirect": _header_value,
    "headers": _headers,
}

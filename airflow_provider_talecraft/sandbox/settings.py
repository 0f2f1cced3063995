"""What a sandbox can be told, and which values are nonsense. Knows neither argparse nor HTTP.

Each check takes what a person typed or a test passed, and returns the value or raises a ValueError whose text is a
sentence: the command line and ``Sandbox(...)`` refuse the same values with the same words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DEFAULT_KEY = "sandbox-key"
_A_DAY = 86_400.0
_MOST_CREDITS = 1_000_000_000
_HIGHEST_PORT = 65_535


def seconds(value: Any) -> float:
    """A length of time from 0 to a day."""
    wrong = f"{value!r} is not a number of seconds from 0 to {_A_DAY:.0f}"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(wrong)  # noqa: TRY004 - one kind of error for all
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise ValueError(wrong) from error
    if not 0 <= number <= _A_DAY:  # also false for nan
        raise ValueError(wrong)
    return number


def credits_(value: Any) -> int:
    number = _whole(value, "a whole number of credits")
    if not 0 <= number <= _MOST_CREDITS:
        raise ValueError(f"{value!r} is not a whole number of credits from 0 to {_MOST_CREDITS}")
    return number


def at_least_one(value: Any) -> int:
    """A limit: with 0 no request could ever pass, so that is refused; no limit is said by leaving it out."""
    number = _whole(value, "a whole number of at least 1")
    if number < 1:
        raise ValueError(f"{value!r} is not a whole number of at least 1; leave it out for no limit")
    return number


def seed(value: Any) -> int:
    return _whole(value, "a whole number")


def port(value: Any) -> int:
    number = _whole(value, "a port")
    if not 0 <= number <= _HIGHEST_PORT:
        raise ValueError(f"{value!r} is not a port: 0 (any free one) to {_HIGHEST_PORT}")
    return number


def host(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z._:%-]+", value):
        raise ValueError(f"{value!r} is not a host name or an address to listen on")
    return value


def api_key(value: Any) -> str:
    """A key must survive the trip through an HTTP header unchanged, and be visible to whoever copies it."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+", value):
        raise ValueError("an API key is at least one printable ASCII character, without blanks or line breaks")
    return value


def public_url(value: Any) -> str:
    """An http(s) base that ``/uploads/…`` can be appended to."""
    wrong = f"{value!r} is not a base URL like https://pictures.example.com or http://127.0.0.1:9000"
    if not isinstance(value, str) or not re.fullmatch(r"https?://[!-~]+", value) or set(value) & set("\"'<>\\`"):
        raise ValueError(wrong)
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise ValueError(wrong) from error
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(wrong)
    return value.rstrip("/")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One sandbox's settings, checked.

    :param latency: seconds that a generation takes.
    :param credits: the account's balance at the start and after a reset. All keys belong to one account.
    :param requests_per_minute: more in any 60 s are answered with 429; None for no limit.
    :param max_concurrency: more at the same time are answered with 429; None for no limit.
    :param seed: the same prompt and seed give the same picture.
    :param api_keys: the keys that are valid.
    :param public_url: what image URLs begin with; None for the host each request itself was sent to.
    """

    latency: float = 1.0
    credits: int = 1000
    requests_per_minute: int | None = None
    max_concurrency: int | None = None
    seed: int = 0
    api_keys: tuple[str, ...] = (DEFAULT_KEY,)
    public_url: str | None = None

    def __post_init__(self) -> None:
        for name, check in (("latency", seconds), ("credits", credits_), ("seed", seed)):
            object.__setattr__(self, name, _named(name, check, getattr(self, name)))
        for name in ("requests_per_minute", "max_concurrency"):
            if (limit := getattr(self, name)) is not None:
                object.__setattr__(self, name, _named(name, at_least_one, limit))
        if isinstance(self.api_keys, str) or not self.api_keys:
            raise ValueError("api_keys: a list of at least one key is wanted")
        object.__setattr__(self, "api_keys", tuple(_named("api_keys", api_key, key) for key in self.api_keys))
        if self.public_url is not None:
            object.__setattr__(self, "public_url", _named("public_url", public_url, self.public_url))


def _named(name: str, check: Any, value: Any) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _whole(value: Any, what: str) -> int:
    """Text is parsed, a number is taken as it is; True and 1.5 are neither."""
    try:
        if isinstance(value, str | int) and not isinstance(value, bool):
            return int(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not {what}") from error
    raise ValueError(f"{value!r} is not {what}")

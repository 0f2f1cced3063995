"""An Airflow Connection of type ``talecraft``, read and checked. Opens no socket."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_talecraft.api.address import base_url
from airflow_provider_talecraft.exceptions import TaleCraftAuthenticationError, TaleCraftInvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.providers.common.compat.sdk import Connection

#: Seconds. A generation takes 10 to 30 s as a rule, longer for complex scenes.
DEFAULT_CONNECT_TIMEOUT = 5.0
DEFAULT_READ_TIMEOUT = 300.0
#: Seconds; a socket's timeout cannot be much longer, and nobody means to wait that long.
LONGEST_TIMEOUT = 24 * 60 * 60.0

#: ``host`` or ``host:port``; an IPv6 address in brackets.
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?")

TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
FALSE_WORDS = frozenset({"false", "0", "no", "off", ""})


@dataclass(frozen=True)
class ConnectionSettings:
    """What a connection says, with the defaults filled in.

    :param api_key: the connection's password, without surrounding blanks.
    :param base_url: scheme, host and port of the service.
    :param connect_timeout: seconds to open a connection.
    :param read_timeout: seconds to the end of an answer.
    :param requests_per_minute: the plan's limit, None if the connection does not say.
    :param max_concurrency: the plan's limit, None if the connection does not say.
    :param image_hosts: hosts from which pictures may be fetched although they are not public https ones.
    """

    api_key: str
    base_url: str
    connect_timeout: float
    read_timeout: float
    requests_per_minute: int | None
    max_concurrency: int | None
    image_hosts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    @classmethod
    def of(cls, connection: Connection) -> ConnectionSettings:
        """Read *connection*; an extra written as 30, "30" or "" is understood, an unknown one is left alone.

        :raises TaleCraftAuthenticationError: if there is no API key.
        :raises TaleCraftInvalidRequestError: if a field or an extra is wrong.
        """
        api_key = (connection.password or "").strip()
        if not api_key:
            raise TaleCraftAuthenticationError(
                "There is no API key: nothing was sent. Put it into the connection's password."
            )
        extra = _extra(connection.extra)
        return cls(
            api_key=api_key,
            base_url=service_url(connection),
            connect_timeout=_seconds(extra, "connect_timeout", DEFAULT_CONNECT_TIMEOUT),
            read_timeout=_seconds(extra, "read_timeout", DEFAULT_READ_TIMEOUT),
            requests_per_minute=_count(extra, "requests_per_minute"),
            max_concurrency=_count(extra, "max_concurrency"),
            image_hosts=_image_hosts(extra),
        )


def service_url(connection: Connection) -> str:
    """Return scheme, host and port of the service that *connection* names. Its key is not read.

    :raises TaleCraftInvalidRequestError: if a field or an extra is wrong.
    """
    return base_url(connection.host, connection.port, allow_http=_flag(_extra(connection.extra), "allow_http"))


def picture_hosts(connection: Connection) -> tuple[str, ...]:
    """Return the hosts from which pictures may be fetched although they are neither public nor https.

    The service's own is one of them, ``host:port``: what is trusted with the key is trusted with a picture.

    :raises TaleCraftInvalidRequestError: if a field or an extra is wrong.
    """
    own = urlsplit(service_url(connection))
    port = own.port or {"http": 80, "https": 443}[own.scheme]
    return (f"{own.netloc.removesuffix(f':{port}')}:{port}", *_image_hosts(_extra(connection.extra)))


def _extra(text: str | None) -> Mapping[str, Any]:
    if not text or not text.strip():
        return {}
    try:
        extra = json.loads(text)
    except (ValueError, RecursionError):
        extra = None
    if not isinstance(extra, dict):
        raise TaleCraftInvalidRequestError("The connection's extra is not a JSON object: nothing was sent.")
    return extra


def _number(extra: Mapping[str, Any], name: str) -> float | None:
    value = extra.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if not isinstance(value, (int, float, str)) or isinstance(value, bool):
            raise ValueError  # noqa: TRY004, TRY301  # one way out for every wrong value
        number = float(value)
    except (ValueError, OverflowError):
        raise _wrong(name, "must be a number") from None
    if not math.isfinite(number) or number <= 0:
        raise _wrong(name, "must be greater than zero")
    return number


def _seconds(extra: Mapping[str, Any], name: str, default: float) -> float:
    number = _number(extra, name)
    if number is not None and number > LONGEST_TIMEOUT:
        raise _wrong(name, f"must be at most {LONGEST_TIMEOUT:.0f} seconds")
    return default if number is None else number


def _count(extra: Mapping[str, Any], name: str) -> int | None:
    number = _number(extra, name)
    if number is not None and not number.is_integer():
        raise _wrong(name, "must be a whole number")
    return None if number is None else int(number)


def _image_hosts(extra: Mapping[str, Any]) -> tuple[str, ...]:
    return host_names(extra.get("image_hosts"), "The connection's extra 'image_hosts'")


def _flag(extra: Mapping[str, Any], name: str) -> bool:
    word = str(extra.get(name) or "").strip().casefold()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise _wrong(name, "must be true or false")
    return word in TRUE_WORDS


def host_names(value: Any, what: str) -> tuple[str, ...]:
    """Return hosts as ``host`` or ``host:port``, in lower case.

    :param value: a list of them, or a string with commas between; None for none.
    :param what: what an error calls it.
    :raises TaleCraftInvalidRequestError: if one is neither.
    """
    names = value.split(",") if isinstance(value, str) else value or ()
    if not isinstance(names, (list, tuple)) or not all(isinstance(item, str) for item in names):
        raise TaleCraftInvalidRequestError(
            f"{what} must be a list of host names, or host names with commas between: nothing was sent."
        )
    hosts = tuple(stripped for item in names if (stripped := item.strip().casefold()))
    for number, host in enumerate(hosts):
        if not HOST.fullmatch(host):
            raise TaleCraftInvalidRequestError(
                f"{what}[{number}] is neither host nor host:port: nothing was sent. Leave out scheme and path; "
                "name each host in full (there are no wildcards), with commas between."
            )
    return hosts


def _wrong(name: str, what: str) -> TaleCraftInvalidRequestError:
    # The value is not quoted: people paste keys into the wrong field.
    return TaleCraftInvalidRequestError(f"The connection's extra {name!r} {what}: nothing was sent.")

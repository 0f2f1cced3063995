"""Where a TaleCraft host is: its base URL, checked. Looks no name up and opens no socket."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError

DEFAULT_BASE_URL = "https://talescaleai.com"
LAST_PORT = 65535


def base_url(host: str | None, port: int | None = None, *, allow_http: bool = False) -> str:
    """Return scheme, host and port of the service, without a trailing slash.

    :param host: a URL without path; None or blank means :data:`DEFAULT_BASE_URL`.
    :param port: a port, if *host* has none.
    :param allow_http: accept plain http for a host other than this machine; the API key then travels unencrypted.
    :raises TaleCraftInvalidRequestError: if it is not such a URL.
    """
    text = (host or "").strip() or DEFAULT_BASE_URL
    try:
        parts = urlsplit(text)
        own_port, name = parts.port, parts.hostname
        (name or "").encode("idna")
    except ValueError:
        raise _wrong("is not a URL") from None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise _wrong("has no scheme; put http:// or https:// in front")
    if not name or not name.isprintable() or " " in name:
        raise _wrong("has no name")
    if "@" in parts.netloc:
        raise _wrong("contains a user or a password; the API key belongs in the password field")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _wrong("contains more than scheme, host and port; the provider adds the path itself")
    if port and not 0 < port <= LAST_PORT:
        raise TaleCraftInvalidRequestError(
            f"The port {port} is none: nothing was sent. Ports go up to {LAST_PORT}; empty means the scheme's own."
        )
    if own_port and port and own_port != port:
        raise _wrong(f"names port {own_port} and the port field {port}; empty one of them")
    if parts.scheme == "http" and not allow_http and not is_loopback(name):
        raise _wrong("is plain http, which would send the API key unencrypted; use https, or set the extra allow_http")
    authority = f"[{name}]" if ":" in name else name
    number = own_port or port
    return f"{parts.scheme}://{authority}" + (f":{number}" if number else "")


def without_query(text: str) -> str:
    """Return *text*, if it is an http(s) URL, without query, fragment, user and password: they may be signatures.

    Other text stays as it is. This is how an image URL is shown everywhere but in XCom.
    """
    start = text.strip()
    if not start[:8].casefold().startswith(("http://", "https://")):
        return text
    try:
        parts = urlsplit(start)
    except ValueError:  # brackets that hold no address
        return re.split("[?#]", start, maxsplit=1)[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def is_loopback(hostname: str) -> bool:
    """Return whether *hostname* is this machine by its own spelling."""
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


def _wrong(what: str) -> TaleCraftInvalidRequestError:
    # The host itself is not quoted: people paste keys into the wrong field.
    return TaleCraftInvalidRequestError(f"The host {what}: nothing was sent. An example: {DEFAULT_BASE_URL}")

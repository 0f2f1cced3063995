"""Where the sandbox is: Host headers, what a picture's URL begins with, who may use the control endpoints."""

from __future__ import annotations

import ipaddress
import json
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_provider_talecraft.sandbox.settings import Settings

_HOST = re.compile(
    r"(?P<name>[0-9A-Za-z_][0-9A-Za-z._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)
_HTTP_PORT = 80
_HIGHEST_PORT = 65_535


def asked_for(request: Request) -> tuple[str, int]:
    """The host (an IPv6 address in brackets) and port that the client sent its request to.

    A Host header that is no host and port is never repeated: the address the server listens on stands in.
    """
    match = _HOST.fullmatch(request.headers.get("host", ""))
    port = int(match["port"] or _HTTP_PORT) if match else 0
    if match and 0 < port <= _HIGHEST_PORT:
        return match["name"], port
    host, port = request.scope["server"]
    return bracketed(host), port


def base_url(request: Request, settings: Settings) -> str:
    """What image URLs begin with: as configured, or the host of this request, so that a port mapping works."""
    if settings.public_url:
        return settings.public_url
    host, port = asked_for(request)
    return f"http://{host}" if port == _HTTP_PORT else f"http://{host}:{port}"


def bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def connection_line(host: str, port: int, key: str) -> str:
    """The shell line that makes the sandbox the default connection."""
    connection = {"conn_type": "talecraft", "host": f"http://{host}", "port": port, "password": key}
    return f"export AIRFLOW_CONN_TALECRAFT_DEFAULT={shlex.quote(json.dumps(connection))}"


def is_local(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # ::ffff:127.0.0.1, as a socket bound to :: sees it; Python 3.13 is the first to call that loopback.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_welcome(request: Request, settings: Settings) -> bool:
    """Whether a control request was meant for this server.

    A page in the user's browser can point a name of its own at 127.0.0.1 and then counts as same-origin here. A
    request that arrived on loopback therefore has to have asked for a loopback name, or for the public URL's.
    """
    if not is_local(request.scope["server"][0]):
        return True
    name = asked_for(request)[0].strip("[]").lower()
    return is_local(name) or (settings.public_url is not None and name == urlsplit(settings.public_url).hostname)

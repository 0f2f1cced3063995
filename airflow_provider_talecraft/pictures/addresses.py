"""Whom a fetch may ask: adapters for a trusted host, and for one that must have a public address.

A name is looked up once, every address is checked, and exactly what was checked is connected to. Whether an address is
public is the library ``requests-hardened``'s to say.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress, filter_host

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

    from airflow_provider_talecraft.api.deadline import Deadline

#: Azure's WireServer, the one cloud metadata address that is not in a range set aside; learn.microsoft.com,
#: "What is IP address 168.63.129.16?".
PUBLIC_METADATA_ADDRESSES = frozenset({"168.63.129.16"})
#: IPv4 by way of IPv6, where a network translates; RFC 6052.
NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: How many addresses of a name are tried, at most.
MOST_ADDRESSES = 8


class UnknownNameError(requests.ConnectionError):
    """A name has no address here."""


class Watched(HTTPAdapter):
    """Connections that end with the deadline, and a path that is asked for as it is written."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        self._deadline.watch(pool)
        return pool  # type: ignore[no-any-return]  # requests leaves its adapters' pools untyped

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return what is asked for; requests 2.32 makes one slash of two, and an object's key may begin with one."""
        target = super().request_url(request, proxies)
        return request.path_url if target.startswith("/") else target


class PublicOnly(Watched):
    """https to public addresses only: each is checked before it is connected to, and tried in turn."""

    #: For tests, whose only servers are on loopback.
    allow_loopback = False

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Ask the first address that a connection to comes about.

        :raises InvalidIPAddress: if none is public.
        :raises UnknownNameError: if there is none.
        """
        parts = urlsplit(request.url or "")
        request.headers["Host"] = parts.netloc
        failure: requests.RequestException | None = None
        for address in self._checked(parts.hostname or "", parts.port or 443):
            self._address = address
            try:
                return super().send(request, *args, **kwargs)
            except requests.exceptions.SSLError:
                raise
            except requests.ConnectionError as error:
                failure = error
                if self._deadline.passed:
                    break
        raise failure or UnknownNameError

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        """Have the connection lead to the address, and the certificate be the name's."""
        host_params: Any
        pool_kwargs: Any
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(*args, **kwargs)
        name = host_params["host"]
        pool_kwargs.update(assert_hostname=name, server_hostname=name)
        host_params["host"] = self._address
        return host_params, pool_kwargs

    def _checked(self, name: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise UnknownNameError(name) from error
        public, failure = [], None
        for address in dict.fromkeys(str(entry[4][0]) for entry in found):
            try:
                public.append(_public(address, port, allow_loopback=self.allow_loopback))
            except InvalidIPAddress as error:
                failure = error
        if failure and not public:
            raise failure
        return public[:MOST_ADDRESSES]


def _public(address: str, port: int, *, allow_loopback: bool) -> str:
    """Return *address* as a URL writes it.

    :raises InvalidIPAddress: if it, or the IPv4 address that NAT64 makes of it, is not public.
    """
    number = ipaddress.ip_address(address)
    translated = number in NAT64
    inner = str(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)) if translated else address
    checked = filter_host(inner, port, allow_loopback=allow_loopback and not translated)
    # ::/8 holds IPv4 addresses in a spelling given up long ago, and nothing that is asked today.
    is_old = isinstance(number, ipaddress.IPv6Address) and number.is_reserved and number.ipv4_mapped is None
    is_old = is_old and not translated and not (allow_loopback and number.is_loopback)
    if is_old or checked in PUBLIC_METADATA_ADDRESSES:
        raise InvalidIPAddress(checked)
    return f"[{number}]" if translated else checked

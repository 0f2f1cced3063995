"""Which addresses are public, and a connection to exactly one that was found to be.

A picture's URL comes from outside, so its name could lead into the worker's own network. A name is looked up once; what
it leads to is checked, and that very address is connected to, whatever the name leads to by then.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import requests
    from urllib3 import HTTPConnectionPool

    from airflow_provider_talecraft.api.deadline import Deadline

#: What ``ipaddress`` calls global in some release or other, and is not: IANA's special-purpose registries.
NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.88.99.0/24",  # 6to4 relays
        "100.64.0.0/10",  # carriers' networks; Alibaba's metadata
        "168.63.129.16/32",  # Azure's WireServer; learn.microsoft.com, "What is IP address 168.63.129.16?"
        "64:ff9b:1::/48",  # local NAT64
        "2001::/23",  # protocol assignments, Teredo among them
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)
#: The addresses of IPv4 in an IPv6 network; RFC 6052.
NAT64 = ip_network("64:ff9b::/96")


class NotPublicError(Exception):
    """A name leads to no public address."""


def is_public(text: str) -> bool:
    """Return whether *text* is an address of the internet; an IPv4 address inside an IPv6 one counts as itself."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(str(address.ipv4_mapped))
        if address in NAT64:
            return is_public(str(IPv4Address(int(address) & 0xFFFFFFFF)))
    special = address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False)
    return address.is_global and not special and not any(address in network for network in NOT_PUBLIC)


def public_addresses(host: str, port: int) -> list[str]:
    """Return the public addresses of *host*, in the order in which they are to be tried.

    :raises OSError: if the name is not known here.
    :raises NotPublicError: if none of its addresses is public.
    """
    found = dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    public = [address for address in found if is_public(address)]
    if not public:
        raise NotPublicError(", ".join(found))
    return public


class Watched(HTTPAdapter):
    """Connections that end with the deadline, and ask for a path as it is."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        self._deadline.watch(pool)
        return pool  # type: ignore[no-any-return]  # requests leaves its adapters' pools untyped

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        url: str = super().request_url(request, proxies)
        # requests takes one of two leading slashes away; the key in the store has both, and so has its signature.
        return request.path_url if url.startswith("/") else url


class Pinned(Watched):
    """https to one address, under the name that the URL has.

    :param address: where to connect to; the certificate has to be the name's all the same.
    """

    def __init__(self, deadline: Deadline, address: str) -> None:
        self._address = f"[{address}]" if ":" in address else address
        super().__init__(deadline)

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(*args, **kwargs)
        name = host_params["host"]
        return {**host_params, "host": self._address}, {**pool_kwargs, "assert_hostname": name, "server_hostname": name}

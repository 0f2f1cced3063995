"""The connection of one paid POST: its own, never redirected, given up at a deadline. What it says is protocol's."""

from __future__ import annotations

import time
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import socket
    import ssl

    from urllib3 import HTTPConnectionPool


class PlainSession(requests.Session):
    """A session that knows no redirects, and takes nothing from the environment (``.netrc``, cookies).

    Telling requests not to follow them is not enough: it reads their whole body all the same, however long that takes,
    and fails on a Location that is not a URL.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  # requests' signature
        return None


class OneConnection(HTTPAdapter):
    """Carries one request over a connection of its own, and knows whether that connection came about.

    ``never_connected`` is True only while, or because, there is no connection (DNS, TCP, proxy, TLS): then, and
    only then, it is certain that nothing was sent. The exception's class alone cannot tell: a TLS error may come
    from the handshake or from the middle of an answer.

    :param connect_timeout: seconds to the end of a proxy's answer, should there be one in between.
    :param read_timeout: seconds from the connection's opening to the end of the answer. A socket's own timeout starts
        anew with every byte: an answer that drips would hold the task for ever.
    """

    def __init__(self, ssl_context: ssl.SSLContext, *, connect_timeout: float, read_timeout: float) -> None:
        self.never_connected = True
        self._ssl_context = ssl_context
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._ssl_context, **kwargs)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return super().proxy_manager_for(*args, ssl_context=self._ssl_context, **kwargs)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the CA bundle to the shared context; requests would load it again for every connection."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        # From here on it has to be proved: should another release of requests or urllib3 connect in another way, the
        # outcome is unknown, not "refused".
        self.never_connected = False
        return super().send(*args, **kwargs)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        try:
            pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        except Exception:
            self.never_connected = True
            raise
        adapter = self

        class WatchedConnection(pool.ConnectionCls):  # type: ignore[misc]  # http or https, known at run time
            def connect(self) -> None:
                try:
                    self._read_until(adapter._connect_timeout)  # a proxy's answer to CONNECT
                    super().connect()
                except BaseException:
                    adapter.never_connected = True
                    raise
                self._read_until(adapter._read_timeout)

            def _read_until(self, seconds: float) -> None:
                self.response_class = partial(PunctualResponse, deadline=time.monotonic() + seconds)

        pool.ConnectionCls = WatchedConnection
        return pool  # type: ignore[no-any-return]  # a pool, seen as Any to replace its class


class PunctualResponse(HTTPResponse):
    """An answer whose last byte comes before *deadline* (monotonic seconds), headers included, or not at all."""

    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = BufferedReader(_PunctualReader(sock, deadline))


class _PunctualReader(RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()

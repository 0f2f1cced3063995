"""The connection of one paid POST: its own, never redirected, given up at a deadline. What it says is protocol's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import socket
    import ssl

    from urllib3 import HTTPConnectionPool

    from airflow_provider_talecraft.api.deadline import Deadline


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

    :param ssl_context: None if nothing is secure on the way; to load a CA bundle takes longer than such a request.
    :param deadline: ends the connection; it is started here.
    :param connect_timeout: seconds from TCP's handshake to the end of TLS's, a proxy's answer included.
    :param read_timeout: seconds from there to the end of the answer.
    """

    def __init__(
        self, ssl_context: ssl.SSLContext | None, deadline: Deadline, *, connect_timeout: float, read_timeout: float
    ) -> None:
        self.never_connected = True
        self._ssl_context = ssl_context
        self._deadline = deadline
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
                    super().connect()
                except BaseException:
                    adapter.never_connected = True
                    raise
                adapter._deadline.restart(adapter._read_timeout)

            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                adapter._deadline.restart(adapter._connect_timeout)
                return sock

        pool.ConnectionCls = WatchedConnection
        self._deadline.watch(pool)
        return pool  # type: ignore[no-any-return]  # a pool, seen as Any to replace its class

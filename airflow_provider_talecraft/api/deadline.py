"""A time limit for a request as a whole.

A socket's timeout is for one read: a server that sends a byte now and then, headers included, never runs into it.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.client import BadStatusLine, HTTPResponse, parse_headers
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self
    from urllib3 import HTTPConnectionPool


#: Most 1xx before an answer: enough for a server that says once a second that it is at work.
MOST_INTERIM = 1000


class FinalResponse(HTTPResponse):
    """An answer without the 1xx before it, which are none (Early Hints, Processing). http.client skips 100 alone."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # where its own 100 is skipped, too
            if status >= HTTPStatus.OK or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            parse_headers(self.fp)
        raise BadStatusLine(f"more than {MOST_INTERIM} interim answers")


class Deadline:
    """Shuts a request's connections down when its time is over, whatever they are doing by then.

    Looking a name up is the one thing it cannot end; the system's resolver has limits of its own.

    :param seconds: how long the ``with`` block may take; None starts no time before :meth:`restart`.
    """

    def __init__(self, seconds: float | None = None) -> None:
        #: Whether the time was over before the block was. What was read is then what had come by then.
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._changed = threading.Condition()
        self._seconds = seconds
        self._due = 0.0
        self._watcher: threading.Thread | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        if self._seconds is not None:
            self.restart(self._seconds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()

    def restart(self, seconds: float) -> None:
        """Have the time be over *seconds* from now, unless it is over already."""
        with self._changed:
            self._due = time.monotonic() + seconds
            self._changed.notify()
        if not self._watcher:
            self._watcher = threading.Thread(target=self._watch, name="deadline", daemon=True)
            self._watcher.start()

    def watch(self, pool: HTTPConnectionPool) -> None:
        """Have every connection that *pool* opens from now on end with the deadline, and skip what is no answer yet."""
        deadline = self
        connection_class: Any = pool.ConnectionCls

        class WatchedConnection(connection_class):  # type: ignore[misc]  # http or https, known at run time
            response_class = FinalResponse

            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                # A handle of our own: TLS takes the socket's away.
                deadline._hold(sock.dup())
                return sock

        pool.ConnectionCls = WatchedConnection

    def _hold(self, sock: socket.socket) -> None:
        with self._changed:
            self._sockets.append(sock)
            if self.passed:
                _shut(sock)

    def _watch(self) -> None:
        with self._changed:
            while not self._is_over and (left := self._due - time.monotonic()) > 0:
                self._changed.wait(left)
            self.passed = not self._is_over
            for sock in self._sockets:  # none, when the block is over
                _shut(sock)


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it was closed by the other side already
        sock.shutdown(socket.SHUT_RDWR)

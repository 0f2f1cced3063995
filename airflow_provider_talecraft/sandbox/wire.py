"""The client's connection below HTTP: is it still there, cut it, close it. The only place that reaches under ASGI.

ASGI lets an application neither drop a connection nor send less than it announced. uvicorn's ``send`` is a bound
method of the object that owns the transport, so the outermost application finds the transport there. A test fails if a
later uvicorn moves it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_SCOPE_KEY = "talecraft.sandbox.connection"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """One client's connection, for the length of one request."""

    def __init__(self, send: Send, receive: Receive) -> None:
        self._transport = cast("asyncio.Transport", send.__self__.transport)  # type: ignore[attr-defined]  # uvicorn's send
        self._receive = receive

    @classmethod
    def of(cls, scope: Scope) -> Connection:
        return cast("Connection", scope[_SCOPE_KEY])

    @property
    def open(self) -> bool:
        """Whether the client is still there, as far as a server can tell."""
        return not self._transport.is_closing()

    def send_interim(self, status: int) -> None:
        """Send a 1xx, which ASGI knows nothing of, ahead of the answer."""
        link = "Link: </x.css>; rel=preload\r\n" if status == HTTPStatus.EARLY_HINTS else ""
        self._transport.write(f"HTTP/1.1 {status} Interim\r\n{link}\r\n".encode())

    def cut(self) -> None:
        """Drop the connection with a reset; what was written and not sent yet is lost."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None and self.open:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def close(self) -> None:
        """Send what was written, then close."""
        self._transport.close()

    async def gone(self) -> None:
        """Wait until the server has noticed: an application that returns before is answered for, with a 500."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


class Switchboard:
    """The outermost application: hands each request its Connection, and cuts all that run when the server stops."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running: dict[asyncio.Task[None], Connection] = {}
        self._stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        connection = scope[_SCOPE_KEY] = self._running[task] = Connection(send, receive)
        try:
            if self._stopping:
                connection.cut()
                await connection.gone()
            else:
                await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            del self._running[task]

    def cut_all(self) -> None:
        """Stop every request where it stands: whoever stops a sandbox does not wait for pictures."""
        self._stopping = True
        for task, connection in self._running.items():
            connection.cut()
            task.cancel()

"""Starting and stopping: in a thread for tests, in the foreground for the command line. Knows no route."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import uvicorn

from airflow_provider_talecraft.sandbox import settings
from airflow_provider_talecraft.sandbox.app import create_app
from airflow_provider_talecraft.sandbox.settings import DEFAULT_KEY, Settings
from airflow_provider_talecraft.sandbox.state import State
from airflow_provider_talecraft.sandbox.wire import Switchboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

_T = TypeVar("_T")
_STARTUP_SECONDS = 30.0


class _Server(uvicorn.Server):
    """uvicorn that says when it listens, leaves signals to its owner, and does not wait for pictures to stop."""

    def __init__(self, state: State, on_ready: Callable[[], None]) -> None:
        self._switchboard = Switchboard(create_app(state))
        self._on_ready = on_ready
        super().__init__(
            uvicorn.Config(
                self._switchboard,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._switchboard.cut_all()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again once it has stopped, so that SIGTERM would not end in exit code 0.
        yield


class Sandbox:
    """A sandbox in this process, for tests: ``with Sandbox(latency=0) as sandbox: requests.post(sandbox.url + …)``.

    Listens on 127.0.0.1 in a thread of its own from ``__enter__`` to ``__exit__``. Its ledger outlives that: a sandbox
    that is entered again is a service that was down for a while. Methods may be called from any thread.

    :param latency: seconds that a generation takes. Zero, unlike the command line's: tests do not wait.
    :param credits: the balance at the start and after a reset.
    :param requests_per_minute: None for no limit.
    :param max_concurrency: None for no limit.
    :param seed: the same prompt and seed give the same picture.
    :param api_keys: the valid keys; the first is ``sandbox.api_key``.
    :param port: 0 for a free one.
    :raises ValueError: for a value that makes no sense.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        latency: float = 0.0,
        credits: int = 1000,  # noqa: A002 - the word everybody uses
        requests_per_minute: int | None = None,
        max_concurrency: int | None = None,
        seed: int = 0,
        api_keys: Iterable[str] = (DEFAULT_KEY,),
        public_url: str | None = None,
        port: int = 0,
    ) -> None:
        self._settings = Settings(
            latency=latency,
            credits=credits,
            requests_per_minute=requests_per_minute,
            max_concurrency=max_concurrency,
            seed=seed,
            api_keys=(api_keys,) if isinstance(api_keys, str) else tuple(api_keys),
            public_url=public_url,
        )
        self._wanted_port = settings.port(port)
        self._port: int | None = None
        self._state = State(self._settings)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def port(self) -> int:
        """:raises RuntimeError: before the sandbox was started."""
        if self._port is None:
            raise RuntimeError("the sandbox is not running: enter it with `with Sandbox() as sandbox:`")
        return self._port

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def api_key(self) -> str:
        return self._settings.api_keys[0]

    def ledger(self) -> dict[str, Any]:
        """What ``GET /sandbox/ledger`` answers."""
        return self._call(self._state.book)

    def fault(self, **fault: Any) -> None:
        """Script one fault.

        :raises ValueError: with a sentence that names the field.
        """
        self._call(lambda: self._state.faults.add(fault))

    def faults(self, faults: Iterable[dict[str, Any]]) -> None:
        """Script several faults, taken in this order.

        :raises ValueError: with a sentence that names the field; then none is scripted.
        """
        several = list(faults)
        self._call(lambda: self._state.faults.add(several))

    def release(self) -> None:
        """What ``POST /sandbox/release`` does."""
        self._call(self._state.delays.release)

    def set_credits(self, credits: int) -> None:  # noqa: A002 - the option's name
        """What ``POST /sandbox/credits`` does."""
        balance = settings.credits_(credits)
        self._call(lambda: self._state.ledger.set_credits(balance))

    def reset(self) -> None:
        """Ledger, faults, limits and credits back to the start."""
        self._call(self._state.reset)

    def __enter__(self) -> Self:
        listener = listen(self.host, self._wanted_port)
        self._port = listener.getsockname()[1]
        ready = threading.Event()
        self._server = _Server(self._state, ready.set)
        self._thread = threading.Thread(
            target=self._run, args=(listener, ready), name=f"talecraft-sandbox-{self._port}", daemon=True
        )
        self._thread.start()
        if not ready.wait(_STARTUP_SECONDS) or not self._server.started:
            raise RuntimeError("the sandbox's server did not start; what it logged says why")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._loop = None

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve(sockets=[listener])

        try:
            asyncio.run(serve())
        finally:
            listener.close()
            ready.set()

    def _call(self, function: Callable[[], _T]) -> _T:
        """Run it where the state lives; once the server has stopped there is nobody to disturb."""
        if self._loop is None:
            return function()

        async def call() -> _T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    :raises OSError: if the port is taken, or the host is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError as error:
        raise OSError(errno.EINVAL, "not a host name") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def run_in_foreground(sandbox_settings: Settings, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM. Belongs in the main thread, where signals arrive."""
    server = _Server(State(sandbox_settings), on_ready)

    def stop(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        asyncio.run(server.serve(sockets=[listener]))
    finally:
        listener.close()
        for number, handler in before.items():
            signal.signal(number, handler)

"""How long requests wait because of faults: until their time is over, or until somebody releases them."""

from __future__ import annotations

import asyncio


class Delays:
    """The delays that are running. Used by the server's event loop only."""

    def __init__(self) -> None:
        self._running: set[asyncio.Event] = set()
        self._have_ended = False

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until the next :meth:`release`."""
        if not seconds or self._have_ended:
            return
        released = asyncio.Event()
        self._running.add(released)
        try:
            await asyncio.wait_for(released.wait(), seconds)
        except asyncio.TimeoutError:  # its own class on Python 3.10
            return
        finally:
            self._running.discard(released)

    def release(self) -> None:
        """End the delays that are running now."""
        for released in self._running:
            released.set()

    def end(self) -> None:
        """Delay nobody any more, not even who has taken a fault and not come to its delay yet."""
        self._have_ended = True
        self.release()

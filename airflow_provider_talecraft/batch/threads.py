"""Threads that work through a list, and a main thread that waits for them and reports how far they are.

The main thread only waits, so that it can be interrupted at any moment: a task's timeout is raised in it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

#: Seconds between two looks at the threads.
POLL_INTERVAL = 0.25


class WorkerThreads(Generic[T]):
    """So many threads that each take the next item when they are done with one.

    :param items: what there is to do; taken one by one, so that a long list costs no memory.
    :param work: does one item, in the thread of the given number; what it raises ends all of it.
    :param threads: how many, at least 1.
    :param on_halt: called when no item is begun any more, for work that waits for something; takes no lock.
    """

    def __init__(
        self,
        items: Iterable[T],
        work: Callable[[T, int], None],
        *,
        threads: int,
        on_halt: Callable[[], None] = lambda: None,
    ) -> None:
        #: Whether no item is begun any more.
        self.halted = False
        self._waiting = iter(items)
        self._work = work
        self._threads = threads
        self._working = threads
        self._on_halt = on_halt
        self._crash: BaseException | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()

    def halt(self) -> None:
        """Begin no item any more. Takes no lock: a signal handler may call it at any moment."""
        self.halted = True
        self._on_halt()

    def run(self, report: Callable[[], None]) -> None:
        """Return when every item is done, or none is being done after a halt.

        :param report: called several times a second meanwhile, in this thread.
        :raises BaseException: what *work* raised. What is raised in this thread meanwhile, such as a timeout, halts the
            workers and leaves the items that are being done to themselves.
        """
        try:
            for number in range(self._threads):
                # A daemon: work that takes minutes must not hold up a process that is to end.
                threading.Thread(
                    target=self._run_worker, args=(number,), name=f"talecraft-{number}", daemon=True
                ).start()
            while not self._done.wait(POLL_INTERVAL):
                report()
        except BaseException:
            self.halt()
            raise
        if self._crash:
            raise self._crash

    def _run_worker(self, number: int) -> None:
        try:
            while not self.halted:
                with self._lock:
                    item = next(self._waiting, _NOTHING)
                if item is _NOTHING:
                    break
                self._work(item, number)  # type: ignore[arg-type]  # it is not nothing
        except BaseException as error:  # noqa: BLE001  # raised again in the main thread
            self._crash = error
            self.halt()
        finally:
            with self._lock:
                self._working -= 1
                last = self._working == 0
            if last:
                self._done.set()


_NOTHING = object()

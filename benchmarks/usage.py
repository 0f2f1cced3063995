"""What all processes of a deployment use: CPU seconds, ended processes included, and memory, now and at most."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from typing_extensions import Self

#: Seconds from the end of one look at the memory to the next. A look costs about 2 ms for each process.
INTERVAL = 1.0
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError)


@dataclass
class Peak:
    """The most of each, not necessarily at the same moment.

    :param pss: bytes; what several processes share is counted once.
    :param rss: bytes; what several processes share is counted for each.
    """

    pss: int = 0
    rss: int = 0
    processes: int = 0
    looks: int = 0


class Usage:
    """The processes of some sessions. Used by ``with``, it watches their memory meanwhile.

    CPU time is the kernel's own count: of each living process what it used itself, and what its ended children had used
    when it waited for them, and theirs. So a process that lived for a moment counts in full, as long as its parent is
    alive and waits for it.

    :param sessions: ids of the sessions.
    """

    def __init__(self, sessions: Collection[int]) -> None:
        self._sessions = sessions
        self.peak = Peak()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="usage", daemon=True)

    def cpu(self) -> float:
        """Return CPU seconds since the sessions began."""
        total = 0.0
        # Children before their parents: one that ends meanwhile is then counted twice at worst, and never lost.
        for process in sorted(self._processes(), key=lambda process: process.pid, reverse=True):
            with suppress(*GONE):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def memory(self) -> Peak:
        """Return what is used now."""
        now = Peak(looks=1)
        for process in self._processes():
            with suppress(*GONE):
                memory = process.memory_full_info()
                now.pss += memory.pss
                now.rss += memory.rss
                now.processes += 1
        return now

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(INTERVAL):
            now, peak = self.memory(), self.peak
            self.peak = Peak(
                max(peak.pss, now.pss),
                max(peak.rss, now.rss),
                max(peak.processes, now.processes),
                peak.looks + now.looks,
            )

    def _processes(self) -> Iterator[psutil.Process]:
        for pid in psutil.pids():
            with suppress(*GONE):
                if os.getsid(pid) in self._sessions:
                    yield psutil.Process(pid)


class Machine:
    """CPU seconds of the whole machine since this was made, to hold against what is known of."""

    def __init__(self) -> None:
        self._began, self._busy = time.monotonic(), _busy()

    def busy(self) -> float:
        return _busy() - self._busy

    def seconds(self) -> float:
        return time.monotonic() - self._began


def _busy() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)


def used_by(pid: int) -> float:
    """Return CPU seconds of one process."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system

"""How long a test waits for what ought to come: a limit for what hangs, no measure of what is slow.

CI runs ten processes on two cores; what takes ten seconds alone takes minutes there.
"""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

#: Seconds.
PATIENCE = 300


def left_of(processes):
    """Wait for *processes* to end; return those that do not. One that nobody has reaped has ended."""
    until = time.monotonic() + PATIENCE
    while (alive := [process for process in processes if _runs(process)]) and time.monotonic() < until:
        time.sleep(0.1)
    return alive


def _runs(process):
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False

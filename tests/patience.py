"""How long a test waits for what ought to come: a limit for what hangs, no measure of what is slow.

CI runs ten processes on two cores; what takes ten seconds alone takes minutes there.
"""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

#: Seconds.
PATIENCE = 300
#: Seconds after which what ends at once, or in minutes where a rule is broken, counts as stuck.
STUCK = 30
#: Seconds for which a fault delays a request that is to be on its way until the test releases it, or kills its client.
HELD = 3600


def until(condition, message="waited in vain", pause=0.1):
    """Wait until *condition* returns something true, and return it.

    Looks are counted, not seconds: a machine that is slow, or stood still, has not looked so often.

    :param message: what the AssertionError says, text or a function that makes it.
    """
    for _ in range(round(PATIENCE / pause)):
        if result := condition():
            return result
        time.sleep(pause)
    raise AssertionError(message() if callable(message) else message)


def left_of(processes):
    """Wait for *processes* to end; return those that do not. One that nobody has reaped has ended."""
    with suppress(AssertionError):
        until(lambda: not any(map(_runs, processes)))
    return list(filter(_runs, processes))


def _runs(process):
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False

"""Ends what tests have started, also when they are killed themselves.

Process groups do not hold Airflow together: its tasks make their own. A session does. The watcher reads the ids of
sessions until nobody can write any more, and then kills all that is in them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import psutil


class Watcher:
    """Started by itself; ended by :meth:`close`, or by the end of this process, however that comes."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )  # fmt: skip

    def watch(self, session):
        """End this session, too."""
        self._process.stdin.write(f"{session}\n")
        self._process.stdin.flush()

    def close(self):
        """End all sessions; return when they are gone."""
        self._process.stdin.close()
        self._process.wait()


def kill_session(session, number=signal.SIGKILL):
    """Send a signal to all processes of a session; return how many had it."""
    reached = 0
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                os.kill(pid, number)
                reached += 1
    return reached


if __name__ == "__main__":
    for session in [int(line) for line in sys.stdin]:
        while kill_session(session):  # one that forks has a child that was not listed
            pass

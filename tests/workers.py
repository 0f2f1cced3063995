"""Workers that take turns: each stops at every edge to the outside, and may die there.

An edge is a call of the store, the service, the file system or the clock. Between two edges a worker does nothing that
anybody else could see, so stopping there is stopping at any moment.
"""

from __future__ import annotations

import threading

from patience import STUCK

_this = threading.local()
#: More edges in one try are no progress.
MOST_EDGES = 1000


class Killed(BaseException):
    """The process is gone: no ``finally`` of it reaches the outside any more."""


def edge(name):
    """Stop here, if a worker is running."""
    if worker := current():
        worker.reach(name)


def current():
    """Return the worker that is running, None outside of one."""
    return getattr(_this, "worker", None)


class Worker:
    """A try, in a thread that moves only when it is told to.

    :param work: what it does.
    """

    def __init__(self, work):
        self.at = "start"
        self.is_over = self.is_killed = False
        self.result = self.error = None
        self._pending = None
        self._turn, self._reached = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def reach(self, name):
        """Wait for the next turn; called by :func:`edge`."""
        self.at = name
        if not self.is_killed:
            self._reached.release()
            self._turn.acquire()
        if self.is_killed:
            raise Killed
        if self._pending is not None:
            error, self._pending = self._pending, None
            raise error

    def step(self):
        """Let it run to the next edge."""
        self._turn.release()
        assert self._reached.acquire(timeout=STUCK), f"stuck behind {self.at}"

    def kill(self):
        """End it where it stands, as SIGKILL does."""
        self.is_killed = True
        self.finish()

    def interrupt(self, error):
        """Raise *error* in it where it stands, as a signal handler does; it may clean up."""
        self._pending = error
        self.step()

    def finish(self):
        """Let it run to its end."""
        for _ in range(MOST_EDGES):
            if self.is_over:
                self._thread.join()
                return
            self.step()
        raise AssertionError(f"no end in sight, at {self.at}")

    def _run(self, work):
        _this.worker = self
        self._turn.acquire()
        try:
            if not self.is_killed:
                self.result = work()
        except BaseException as error:  # noqa: BLE001  # whatever it is, the machine judges it
            self.error = error
        finally:
            self.is_over = True
            self._reached.release()

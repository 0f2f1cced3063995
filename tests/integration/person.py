"""A person at a terminal: runs a command on a pseudo-terminal of its own, reads what it shows, types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time

from patience import PATIENCE


class Person:
    """``with Person(command, env=…) as person: person.sees("Go on?"); person.types("y\\n"); person.leaves()``.

    stdin and stderr are the terminal; stdout is a pipe of its own, as with ``| jq``.
    """

    def __init__(self, command, **options):
        self._terminal, theirs = pty.openpty()
        self.screen = ""
        self._process = subprocess.Popen(
            command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, start_new_session=True,
            preexec_fn=_own_the_terminal, **options,  # noqa: PLW1509  # it makes one call
        )  # fmt: skip
        os.close(theirs)

    def sees(self, text):
        """Wait until *text*, a string or a compiled pattern, is on the screen."""
        wanted = re.compile(re.escape(text)) if isinstance(text, str) else text
        until = time.monotonic() + PATIENCE
        while not wanted.search(self.text):
            came = time.monotonic() < until and self._read()
            assert came, f"{wanted.pattern!r} is not on the screen: {self.screen}"

    def types(self, text):
        os.write(self._terminal, text.encode())

    def leaves(self):
        """Wait for the command's end; return its exit code, and what it wrote to stdout."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._read():
            pass
        printed, _ = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, printed.decode()

    @property
    def text(self):
        """What a person reads: the screen without what moves the cursor and colours."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.screen).replace("\r", "")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=PATIENCE)
        os.close(self._terminal)

    def _read(self):
        """Take in what came; return whether the command still has the terminal."""
        ready, _, _ = select.select([self._terminal], [], [], 1.0)
        if not ready:
            return True
        try:
            came = os.read(self._terminal, 4096)
        except OSError:  # nobody writes there any more
            return False
        self.screen += came.decode(errors="replace")
        return bool(came)


def _own_the_terminal():
    """Make stdin the terminal that Ctrl-C is typed on."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

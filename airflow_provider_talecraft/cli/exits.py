"""How a command ends, for scripts. Plain numbers."""

from __future__ import annotations

#: Done: the key is good; the picture was drawn, or stood there already.
DONE = 0
#: Refused, failed or not confirmed. Nothing was charged.
FAILED = 1
#: The command was written wrongly, or would have to ask and nobody is there to answer. Nothing was sent.
USAGE = 2
#: A request has no answer, or was interrupted: it may have been charged.
UNKNOWN = 3
#: The picture is paid for, but not saved. The same command goes on with that and pays nothing.
UNSAVED = 4

OF_CHECK = """\
exit codes:
  0  the key is good
  1  it is not, or could not be asked
  2  wrong usage"""

OF_GENERATE = """\
exit codes:
  0  done: drawn, or it stood there already
  1  refused, failed or not confirmed; nothing was charged
  2  wrong usage, or a question without a terminal; nothing was sent
  3  no answer, or interrupted while waiting for it; it may have been charged
  4  paid for, but not saved: the same command again saves it and pays nothing"""

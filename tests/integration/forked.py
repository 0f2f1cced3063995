"""Python processes that have Airflow loaded: forked from one that has, since to start one takes seconds of CPU.

Each is a process of its own in every other way: its environment, its group, its output.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import get_context
from pathlib import Path

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["loaded"])


def start(code, arguments, environment, log):
    """Run Python code, as ``python -c CODE ARGUMENTS > LOG`` would; return a ``multiprocessing`` process."""
    process = _CONTEXT.Process(target=_run, args=(code, arguments, environment, str(log)))
    # The first one starts the process that has Airflow loaded, which looks for modules there.
    outside = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    try:
        process.start()
    finally:
        os.environ.pop("PYTHONPATH")
        if outside is not None:
            os.environ["PYTHONPATH"] = outside
    return process


def _run(code, arguments, environment, log):
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(output, number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]

    from airflow import settings

    settings.configure_vars()
    settings.configure_orm()
    exec(code, {"__name__": "__main__"})  # the tests' own

"""An AIRFLOW_HOME with an empty database of this Airflow's: it is made once for an environment, then copied."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from patience import PATIENCE


def migrated(home):
    """Put an empty database into *home*, an AIRFLOW_HOME that uses SQLite; return *home*."""
    installed = sorted(f"{one.name} {one.version}" for one in distributions())
    template = Path(sys.prefix) / f"airflow-{hashlib.sha256(repr(installed).encode()).hexdigest()[:16]}"
    with template.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (template / "done").exists():
            inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
            command = [sys.executable, "-m", "airflow", "db", "migrate"]
            environment = {**inherited, "AIRFLOW_HOME": str(template)}
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=PATIENCE)
            (template / "done").touch()
    Path(home).mkdir(parents=True, exist_ok=True)
    shutil.copy(template / "airflow.db", home)
    return home

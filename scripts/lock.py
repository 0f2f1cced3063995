"""``make lock``: write ``requirements/*.txt`` again: what the demo and the containers install, with hashes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from environment import LOCKED_AIRFLOW, LOCKS, OLDEST_PYTHON, ROOT

#: What builds the package, so that this downloads nothing either.
BUILD = ["hatchling", "editables"]
#: Providers of the image that docker-compose.yaml uses.
IMAGE = ("celery", "postgres", "redis")
#: The file's name, and what is resolved into it: extras of the package, or other packages.
WANTED = {
    "demo": (["sandbox"], [f"apache-airflow=={LOCKED_AIRFLOW}", *BUILD]),
    # With what the image brings and docker-compose.yaml uses, so that all of it fits together.
    "compose": (
        ["sandbox", "s3"],
        [
            f"apache-airflow=={LOCKED_AIRFLOW}",
            *(f"apache-airflow-providers-{one}" for one in IMAGE),
            "asyncpg",
            "psycopg2-binary",
            *BUILD,
        ],
    ),
    "uv": ([], ["uv"]),
}


def main() -> None:
    for name, (extras, packages) in WANTED.items():
        lock = LOCKS / f"{name}.txt"
        project = [str(ROOT / "pyproject.toml"), *(f"--extra={extra}" for extra in extras)] if extras else []
        subprocess.run(
            [str(Path(sys.executable).parent / "uv"), "pip", "compile", "--quiet", "--upgrade", "--generate-hashes",
             "--universal", "--python-version", ".".join(map(str, OLDEST_PYTHON)), "--only-binary", ":all:",
             "--no-emit-package", "airflow-provider-talecraft", "--no-annotate",
             "--custom-compile-command", "make lock", "--output-file", str(lock), *project, "-"],
            input="\n".join(packages), text=True, check=True,
        )  # fmt: skip
        print(f"{lock.relative_to(ROOT)}: {lock.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()

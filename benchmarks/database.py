"""A PostgreSQL for the benchmarks' Airflows: the tests' own."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [str(TESTS / "integration"), str(TESTS)]

from servers import Postgres  # noqa: E402  # once the path is set

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def postgresql() -> Iterator[str]:
    """Start one with an empty database; yield Airflow's ``sql_alchemy_conn`` of it."""
    # Not below a folder that only its owner may enter: root's PostgreSQL is nobody's.
    with (
        tempfile.TemporaryDirectory(prefix="talecraft-postgres-") as folder,
        Postgres(Path(folder)) as server,
    ):
        yield f"postgresql+psycopg2://talecraft:{server.secret}@127.0.0.1:{server.port}/postgres"

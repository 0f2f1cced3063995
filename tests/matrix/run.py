"""``make matrix``: run the sessions of noxfile.py, two side by side, and print what became of each as a table.

Fails if a session fails, and if one of the Airflows was run with no Python at all.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from noxfile import LINES, PYTHONS  # noqa: E402  # it lies where nox wants it

#: As many as the CI has processors; a session mostly computes.
SIDE_BY_SIDE = 2
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", nargs="*", metavar="LINE", help="such as 3.0 3.1; all, if none is named")
    parser.add_argument("--pythons", nargs="*", metavar="PYTHON", help='such as 3.12, or "this"; all, if none is named')
    asked = parser.parse_args()
    lines = [airflow for airflow in LINES if not asked.lines or airflow.rpartition(".")[0] in asked.lines]
    pythons = [THIS_PYTHON if name == "this" else name for name in asked.pythons or PYTHONS]
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        sessions = [session(airflow, name) for airflow in lines for name in pythons if name in LINES[airflow].pythons]
        command = [sys.executable, "-m", "nox", "--parallel", str(SIDE_BY_SIDE), "--report", report.name,
                   "--sessions", *sessions]  # fmt: skip
        failed = subprocess.run(command, cwd=ROOT, check=False).returncode
        results = outcomes(json.loads(Path(report.name).read_text() or '{"sessions": []}')["sessions"])
    sys.stdout.write(f"\n{table(lines, pythons, results)}\n")
    never = [
        airflow for airflow in lines if not any(results.get(session(airflow, name), "")[:2] == "ok" for name in pythons)
    ]
    if failed or never:
        sys.exit(f"Failed. Run with no Python at all: {', '.join(never) or 'none'}.")


def session(airflow: str, python: str) -> str:
    """Return what nox calls a session."""
    return f"line({airflow}-py{python})"


def outcomes(report: list[dict]) -> dict[str, str]:
    """Return what became of each session, by nox's names."""
    words = {"success": "ok, {:.0f} s", "skipped": "not run: no such Python here"}
    return {
        name: words.get(one["result"], "FAILED").format(one["duration"]) for one in report for name in one["signatures"]
    }


def table(lines: list[str], pythons: list[str], results: dict[str, str]) -> str:
    """Return the table: a row for each Airflow, a column for each Python."""
    rows = [["Airflow", *(f"Python {python}" for python in pythons)]]
    for airflow in lines:
        refused = {python: "refused by Airflow" for python in pythons if python not in LINES[airflow].pythons}
        rows.append(
            [airflow, *(refused.get(name) or results.get(session(airflow, name), "FAILED") for name in pythons)]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


if __name__ == "__main__":
    main()

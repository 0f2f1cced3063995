"""The matrix: the built wheel on every supported line of Airflow, with every Python that Airflow names.

``make matrix`` runs it and prints the table, ``nox --list`` says what there is. A Python that is missing is fetched by
uv; where it cannot be had, its sessions are not run, and the table says so.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import nox


class Line(NamedTuple):
    """One minor version of Airflow, by its last release.

    :param pythons: those that the release's own classifiers name. Its Requires-Python is no help: "!=3.13" refuses
        3.13.0, and takes 3.13.1.
    :param beside: what is installed beside it, with the reason.
    """

    pythons: tuple[str, ...]
    beside: tuple[str, ...] = ()


#: The connection form of Airflow 3.0 and 3.1 has a hook's own fields and names only where this provider is installed.
FORM = "apache-airflow-providers-fab"

LINES = {
    "2.11.2": Line(("3.10", "3.11", "3.12")),
    "3.0.6": Line(
        ("3.10", "3.11", "3.12"),
        (
            "fastapi<0.118",  # 0.118 ends a request's dependencies later; Airflow 3.1 has this pin itself
            "pyjwt<2.11",  # newer ones refuse the empty issuer that Airflow signs with: nobody can log in
            FORM,
            "universal-pathlib<0.3",  # 0.3 moved what ObjectStoragePath is made of; 3.1 has this pin itself
        ),
    ),
    "3.1.8": Line(("3.10", "3.11", "3.12", "3.13"), (FORM,)),
    "3.2.2": Line(
        ("3.10", "3.11", "3.12", "3.13", "3.14"),
        (
            "fastapi<0.137",  # 0.137 changed the routers from which Airflow builds its API; 3.3 has this pin itself
            "svcs<26",  # 26 changed how the task's API is given its services
        ),
    ),
    "3.3.2": Line(("3.10", "3.11", "3.12", "3.13", "3.14")),
}
PYTHONS = sorted({python for line in LINES.values() for python in line.pythons}, key=lambda name: int(name[2:]))
HERE = Path(__file__).parent
WHEELS = HERE / ".nox" / "wheel"

# The first with sessions side by side that was tried.
nox.needs_version = ">=2026.10"
nox.options.sessions = ["line"]
# Not even in CI: there the table says which ones were missing, and that each Airflow was run at least once.
nox.options.error_on_missing_interpreters = False
# pyenv has interpreters that its own commands of the same names do not lead to unless they are selected.
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, sorted(PYENV.glob("versions/3.*/bin")))])


@nox.session(venv_backend="none")
def wheel(session: nox.Session) -> None:
    """Build the wheel, once for all."""
    for old in WHEELS.glob("*.whl"):
        old.unlink()
    session.run("uv", "build", "--quiet", "--wheel", "--out-dir", str(WHEELS), external=True)


@nox.session(venv_backend="uv", requires=["wheel"], allow_parallel=True)
@nox.parametrize(
    ("python", "airflow"),
    [
        nox.param(python, airflow, id=f"{airflow}-py{python}")
        for airflow, line in LINES.items()
        for python in line.pythons
    ],
)
def line(session: nox.Session, airflow: str) -> None:
    """Install the wheel with one Airflow, import, load and run it."""
    (built,) = WHEELS.glob("*.whl")
    # OpenLineage's provider is what the package's lineage is for; it is imported only where that is installed.
    session.install(
        f"airflow-provider-talecraft[sandbox] @ {built.as_uri()}",
        "apache-airflow-providers-openlineage", "pytest", f"apache-airflow=={airflow}", *LINES[airflow].beside,
    )  # fmt: skip
    matrix = HERE / "tests" / "matrix"
    # Elsewhere, so that the package of the work tree is not found in place of the wheel's.
    with session.chdir(session.create_tmp()):
        session.run("pytest", "-q", "-c", str(matrix / "pytest.ini"), str(matrix / "checks.py"))

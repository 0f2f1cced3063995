"""``make dist``: build the wheel and the sdist, check them, and use the wheel where nothing else is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
BIN = Path(sys.executable).parent
PACKAGE = "airflow_provider_talecraft"
IN_WHEEL = {
    f"{PACKAGE}/py.typed",
    f"{PACKAGE}/get_provider_info.py",
    f"{PACKAGE}/plugins/www/task.html",
    f"{PACKAGE}/plugins/www/js/task.js",
    f"{PACKAGE}/plugins/www/vendor/chart-4.6.1.LICENSE.md",
    f"{PACKAGE}/plugins/www/vendor/chart-4.6.1.umd.min.js",
    f"{PACKAGE}/sandbox/__main__.py",
    f"{PACKAGE}/sandbox/fonts/OFL.txt",
    f"{PACKAGE}/sandbox/fonts/PicturebookKai.ttf",
}
IN_SDIST = {
    "pyproject.toml",
    "README.md",
    "README.zh-CN.md",
    "docs/index.md",
    "mkdocs.yml",
    "LICENSE",
    "CHANGELOG.md",
    "example_dags/talecraft_quickstart.py",
    "Makefile",
}
IMPORT_EXAMPLES = """
import sys
from airflow.models import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
assert {"talecraft_quickstart", "talecraft_storybook"} <= set(bag.dag_ids), bag.dag_ids
"""


def main() -> None:
    wheel, sdist = build()
    run([str(BIN / "twine"), "check", "--strict", str(wheel), str(sdist)])
    run([str(BIN / "check-wheel-contents"), str(wheel)])
    check_contents(wheel, sdist)
    with tempfile.TemporaryDirectory(prefix="talecraft-wheel-") as folder:
        use(wheel, Path(folder))
    print(f"{wheel.name} and {sdist.name} are as they should be, and byte by byte the same when they are built again.")


def build() -> tuple[Path, Path]:
    """Build twice, from two copies of what git has, into two places; return the first wheel and sdist.

    Whoever builds the same commit can so compare his files with those that were published.
    """
    for old in DIST.glob("*"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="talecraft-build-") as folder:
        again = Path(folder) / "dist"
        for source, out in ((Path(folder) / "one", DIST), (Path(folder) / "another", again)):
            copy(source)
            environment = {**os.environ, "SOURCE_DATE_EPOCH": run(["git", "log", "-1", "--format=%ct"]).strip()}
            run([sys.executable, "-m", "build", "--installer", "uv", "--outdir", str(out), str(source)], environment)
        differ = [path.name for path in DIST.iterdir() if path.read_bytes() != (again / path.name).read_bytes()]
    if differ:
        sys.exit(f"Built again from the same files, these are others: {sorted(differ)}")
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    return wheel, sdist


def copy(folder: Path) -> None:
    """Copy what git has, or would take, so that nothing else on this machine gets into the distribution."""
    for name in run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def check_contents(wheel: Path, sdist: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    strangers = {name for name in names if not name.startswith((f"{PACKAGE}/", f"{PACKAGE}-"))}
    with tarfile.open(sdist) as archive:
        unpacked = {name.partition("/")[2] for name in archive.getnames()}
    for what, problem in (
        ("missing in the wheel", IN_WHEEL - names),
        ("no part of the wheel", strangers),
        ("missing in the sdist", IN_SDIST - unpacked),
    ):
        if problem:
            sys.exit(f"{what}: {sorted(problem)}")


def use(wheel: Path, folder: Path) -> None:
    """Install the wheel alone, and have Airflow find the provider and import the examples."""
    venv = folder / "venv"
    python = venv / "bin" / "python"
    run([str(BIN / "uv"), "venv", "--quiet", "--python", sys.executable, str(venv)])
    airflow_version = os.environ.get("AIRFLOW_VERSION") or "3.3.2"
    run([str(BIN / "uv"), "pip", "install", "--quiet", "--python", str(python),
         str(wheel), f"apache-airflow=={airflow_version}"])  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHONPATH"))}
    environment["AIRFLOW_HOME"] = str(folder / "home")
    environment["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    command = [str(venv / "bin" / "airflow"), "providers", "list", "-o", "json"]
    providers = {one["package_name"]: one for one in json.loads(run(command, environment, folder))}
    provider = providers.get("airflow-provider-talecraft", {})
    if provider.get("version") != wheel.name.split("-")[1] or "TaleCraft" not in provider["description"]:
        sys.exit(f"airflow providers list shows another provider: {provider}")
    run([str(python), "-c", IMPORT_EXAMPLES, str(ROOT / "example_dags")], environment, folder)


def run(command: list[str], environment: dict[str, str] | None = None, folder: Path = ROOT) -> str:
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\n{' '.join(command)}\nexited with {done.returncode}.")
    return done.stdout


if __name__ == "__main__":
    main()

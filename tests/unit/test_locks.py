"""requirements/*.txt, which the demo and the containers install: in step with pyproject.toml, and with hashes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
EXTRAS = {"demo": ["sandbox"], "compose": ["sandbox", "s3"]}
PYTHONS = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]


def pinned(lock):
    """Return each requirement of a lock with its number of hashes."""
    text = re.sub(r"\\\n +", "", lock.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(Requirement(line.partition("--hash")[0]), line.count("--hash=sha256:")) for line in lines]


def test_there_is_a_lock_for_each_install():
    assert [lock.stem for lock in LOCKS] == ["compose", "demo", "uv"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_everything_has_a_version_and_a_hash_and_comes_from_wherever_packages_come_from(lock):
    for requirement, hashes in pinned(lock):
        assert [one.operator for one in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert requirement.url is None
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_has_what_the_package_needs_on_every_python(name, python):
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    given = {}
    for requirement, _ in pinned(ROOT / "requirements" / f"{name}.txt"):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert requirement.name not in given, "two versions"
            (given[requirement.name],) = (Version(one.version) for one in requirement.specifier)
    wanted = PROJECT["dependencies"] + [
        line for extra in EXTRAS[name] for line in PROJECT["optional-dependencies"][extra]
    ]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(given[requirement.name]), f"{requirement}: run `make lock`"
    assert given.keys() >= {"hatchling", "editables"}


def test_the_locked_airflow_is_the_one_of_the_environment_and_of_the_image():
    (made,) = re.findall(
        r'^LOCKED_AIRFLOW = "([\d.]+)"$', (ROOT / "scripts" / "environment.py").read_text(), re.MULTILINE
    )
    (image,) = re.findall(r"^FROM apache/airflow:([\d.]+)-", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name in EXTRAS:
        locked = {str(one) for one, _ in pinned(ROOT / "requirements" / f"{name}.txt") if one.name == "apache-airflow"}
        assert locked == {f"apache-airflow=={made}"} == {f"apache-airflow=={image}"}


@pytest.mark.parametrize(
    ("file", "lock"), [("Dockerfile", "compose"), ("scripts/environment.py", "demo"), ("scripts/environment.py", "uv")]
)
def test_what_is_installed_from_a_lock_must_have_its_hash(file, lock):
    (line,) = (line for line in (ROOT / file).read_text().splitlines() if f"{lock}.txt" in line)
    assert "--require-hashes" in line

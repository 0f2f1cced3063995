"""``make release-check TAG=v1.2.3``: whatever must hold before a tag is published. The release workflow runs it too.

It publishes nothing. A tag that is not made yet is a rehearsal of it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import check_dist
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
#: The one place where the version is written; the build, the User-Agent and Airflow's list of providers read it.
SOURCE = ROOT / "airflow_provider_talecraft" / "__init__.py"


def main(tag: str) -> None:
    if problems := [*problems_of(tag, version(), (ROOT / "CHANGELOG.md").read_text()), *problems_of_the_checkout(tag)]:
        sys.exit("\n".join(f"- {problem}" for problem in problems))
    check_dist.main()
    print(f"{tag} can be published.")


def version() -> str:
    """Return what ``__version__`` says."""
    (written,) = re.findall(r'^__version__ = "(.+)"$', SOURCE.read_text(), re.MULTILINE)
    return written


def problems_of(tag: str, version: str, changelog: str) -> list[str]:
    """Return what is wrong between a tag, the version and the changelog; a sentence each."""
    problems = []
    try:
        if str(Version(version)) != version:
            problems.append(f"{SOURCE.name} says {version!r}, which is written {Version(version)} on PyPI.")
    except InvalidVersion:
        problems.append(f"{SOURCE.name} says {version!r}, which is no version.")
    if tag != f"v{version}":
        problems.append(
            f"The tag is {tag!r}, and the version in {SOURCE.name} is {version!r}: the tag must be v{version}."
        )
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    heading, _, text = (sections or [""])[0].partition("\n")
    found = re.fullmatch(r"(\S+) \((\S+)\)", heading.strip())
    if not found or found[1] != version:
        problems.append(f"The first section of CHANGELOG.md is {heading!r}: it must be about {version}.")
    elif not _is_date(found[2]):
        problems.append(f"CHANGELOG.md says {heading!r}: write the day in the brackets, as {version} (2026-01-31).")
    elif not text.strip():
        problems.append(f"CHANGELOG.md says nothing about {version}.")
    return problems


def problems_of_the_checkout(tag: str) -> list[str]:
    """Return why what is built here is not what the tag names; a sentence each."""
    problems = []
    if _git("status", "--porcelain"):
        problems.append("There are changes that are not committed: what is built is not what is tagged.")
    tagged = _git("rev-parse", "--quiet", "--verify", f"refs/tags/{tag}^{{commit}}")
    if tagged and tagged != _git("rev-parse", "HEAD"):
        problems.append(f"{tag} is another commit than the one that is checked out.")
    return problems


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1])

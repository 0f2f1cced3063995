"""Nothing is published whose tag, version and changelog disagree; and the workflow publishes what was checked."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from patience import PATIENCE

import airflow_provider_talecraft
from airflow_provider_talecraft.api.client import USER_AGENT
from airflow_provider_talecraft.get_provider_info import get_provider_info

ROOT = Path(__file__).parents[2]
SECTION = "# Changelog\n\nWhat changes.\n\n## 1.2.3 (2026-12-01)\n\n- It draws.\n\n## 1.2.2 (2026-11-01)\n\n- Before.\n"


@pytest.fixture(scope="module")
def release():
    """scripts/release.py, which is no package's."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec = importlib.util.spec_from_file_location("release", ROOT / "scripts" / "release.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.pop(0)


def test_a_tag_that_is_the_version_and_has_a_dated_section_can_be_published(release):
    assert release.problems_of("v1.2.3", "1.2.3", SECTION) == []


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "said"),
    [
        ("v1.2.4", "1.2.3", SECTION, "the tag must be v1.2.3"),
        ("1.2.3", "1.2.3", SECTION, "the tag must be v1.2.3"),
        ("", "1.2.3", SECTION, "the tag must be v1.2.3"),
        ("v1.2.3", "1.2.3", SECTION.replace("2026-12-01", "unreleased"), "write the day"),
        ("v1.2.3", "1.2.3", SECTION.replace("2026-12-01", "2026-13-01"), "write the day"),
        ("v1.2.3", "1.2.3", SECTION.replace("- It draws.", ""), "says nothing about 1.2.3"),
        ("v1.2.3", "1.2.3", SECTION.replace("## 1.2.3 (2026-12-01)", ""), "must be about 1.2.3"),
        ("v1.2.2", "1.2.2", SECTION, "must be about 1.2.2"),
        ("v1.2.3", "1.2.3", "# Changelog\n", "must be about 1.2.3"),
        ("vnext", "next", SECTION.replace("1.2.3", "next"), "is no version"),
        ("v1.02.3", "1.02.3", SECTION.replace("1.2.3", "1.02.3"), "written 1.2.3 on PyPI"),
    ],
)  # fmt: skip
def test_what_disagrees_is_said_in_one_sentence(release, tag, version, changelog, said):
    (problem,) = release.problems_of(tag, version, changelog)
    assert said in problem


def test_a_wrong_tag_ends_the_check_before_anything_is_built():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "release.py"), "v0.0.0"],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "The tag is 'v0.0.0'" in done.stderr


def test_the_version_is_written_in_one_place(release):
    written = release.version()
    assert airflow_provider_talecraft.__version__ == written
    assert USER_AGENT.endswith(f"/{written}")
    # Airflow takes the version of a provider from the distribution, and not from what the provider says.
    assert "versions" not in get_provider_info()
    assert re.search(r'^dynamic = \["version"\]$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    files = [*(ROOT / "airflow_provider_talecraft").rglob("*.py"), ROOT / "pyproject.toml"]
    assert [path for path in files if f'"{written}"' in path.read_text()] == [release.SOURCE]
    assert version("airflow-provider-talecraft") == written


WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yaml").read_text())


def test_only_the_job_that_publishes_may_and_it_runs_nothing_of_ours():
    assert WORKFLOW["permissions"] == {}
    jobs = WORKFLOW["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "test": {"contents": "read"},
        "build": {"contents": "read"},
        "publish": {"id-token": "write"},
        "release": {"contents": "write"},
    }
    assert set(jobs["publish"]["needs"]) == {"test", "build"}
    assert all("uses" in step for step in jobs["publish"]["steps"])


def test_the_inventory_that_was_built_goes_into_the_release_after_the_package_is_published():
    build, release = WORKFLOW["jobs"]["build"], WORKFLOW["jobs"]["release"]
    kept = {step["with"]["path"] for step in build["steps"] if "upload-artifact" in step.get("uses", "")}
    assert kept == {"dist/", "sbom/"}
    assert release["needs"] == "publish"
    download, create = release["steps"]
    assert create["run"].endswith(f"{download['with']['path']}*")
    assert "checkout" not in str(release["steps"])


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").iterdir()), ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_and_names_its_version(path):
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert used
    for action, comment in used:
        assert action.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)
        assert action.startswith("./") or re.fullmatch(r"  # v\d+\.\d+\.\d+", comment)


def test_what_the_workflow_runs_is_what_a_person_runs_before():
    (command,) = [step["run"] for step in WORKFLOW["jobs"]["build"]["steps"] if "run" in step]
    assert command == "make release-check"
    assert "release-check:" in (ROOT / "Makefile").read_text()

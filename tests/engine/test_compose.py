"""docker-compose.yaml in a real engine, from a fresh clone, as docs/compose.md says; over stand-ins for its images."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from composed import BUCKET, SERVICES, USER, Composed, objects
from engine import Engine
from patience import PATIENCE

pytestmark = pytest.mark.engine


def _rules():
    saved = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout
    return {line for line in saved.splitlines() if line.startswith("-")}


def _mounts():
    return set(Path("/proc/self/mounts").read_text().splitlines())


def _processes(folder):
    return subprocess.run(["pgrep", "--full", str(folder)], capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def engine(request, engine_can_be_had):
    """An engine with the stand-ins in it. At the end nothing is left of it on this machine."""
    rules, mounts = _rules(), _mounts()
    with Engine(USER) as engine:
        engine.build_stand_ins()
        yield engine
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        for phase, (wall, cpu) in engine.times.items():
            print(f"\n{phase:32} {wall:6.1f} s, CPU {cpu:6.1f} s", end="")  # noqa: T201  # CI's log
    assert _rules() <= rules
    assert _mounts() <= mounts
    assert not _processes(engine.folder)
    assert not engine.folder.exists()


@pytest.fixture(scope="module")
def composed(engine):
    """The file as it is, from a fresh clone, started by the page's first line."""
    composed = Composed(engine)
    composed.check_out()
    composed.up()
    with engine.network():
        composed.log_in()
        yield composed


@pytest.fixture(scope="module")
def storybook(composed):
    """The storybook, drawn by the page's other lines; what the last one printed."""
    _, *start, count = composed.lines()
    for line in start:
        composed.compose(*line)
    with composed.engine.measured("storybook"):
        (run,) = composed.api("/dags/talecraft_storybook/dagRuns")["dag_runs"]
        assert composed.wait("talecraft_storybook", run["dag_run_id"]) == "success"
    return run["dag_run_id"], composed.compose(*count)


def pictures(prefix):
    found = {key: data for key, data in objects(prefix).items() if key.endswith(".jpeg")}
    assert all(data.startswith(b"\xff\xd8\xff") for data in found.values())
    return found


def test_three_lines_later_the_pictures_are_in_the_bucket(storybook):
    assert len(pictures("storybook/")) == 6
    assert re.search(r"credits +12\b", storybook[1])


def test_a_picture_of_the_day_is_drawn_by_its_schedule(composed):
    composed.unpause("talecraft_daily")
    with composed.engine.measured("daily"):
        runs = composed.until(
            lambda: composed.api("/dags/talecraft_daily/dagRuns")["dag_runs"], "talecraft_daily did not start"
        )
        assert composed.wait("talecraft_daily", runs[0]["dag_run_id"]) == "success"
    assert len(pictures("daily/")) == 1


def test_every_product_has_its_picture(composed):
    with composed.engine.measured("catalogue"):
        assert composed.run("talecraft_catalogue")[1] == "success"
    assert len(pictures("catalogue/")) == 3
    ask = "SELECT picture FROM products ORDER BY sku"
    command = ["psql", "--host=127.0.0.1", "--username=airflow", "--tuples-only", "--no-align", "--command", ask]
    found = composed.compose("exec", "-T", "-e", "PGPASSWORD=not-a-secret", "postgres", *command, "catalogue")
    assert [line.startswith(f"s3://aws_default@{BUCKET}/catalogue/") for line in found.split()] == [True] * 3


def test_a_pictures_link_opens_in_a_browser_and_in_the_worker(composed, storybook):
    link = composed.xcom("talecraft_storybook", storybook[0], "illustrate", map_index=0)["image_url"]
    # Not by curl, which itself takes *.localhost for its own machine.
    fetch = "import sys, urllib.request; print(len(urllib.request.urlopen(sys.argv[1]).read()))"
    size = int(composed.compose("exec", "-T", "worker", "python", "-c", fetch, link))
    assert size in [len(data) for data in pictures("storybook/").values()]
    if not (chromium := shutil.which("chromium")):
        pytest.skip("no Chromium on this machine; on Debian: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(link)
        assert page.evaluate("document.images[0].naturalWidth") > 500
        page.goto("http://localhost:8080/dags")
        page.get_by_text("talecraft_storybook").first.wait_for()
        browser.close()


def test_all_example_dags_are_read(composed):
    assert composed.api("/importErrors")["import_errors"] == []


@pytest.mark.parametrize("service", sorted(SERVICES.keys() - {"setup"}))
def test_nothing_runs_as_root(composed, service):
    assert composed.compose("exec", "-T", service, "stat", "--format=%u", "/proc/1").strip() != "0"


def test_started_again_it_changes_nothing(composed, storybook):
    before = objects("")
    with composed.engine.measured("up again"):
        composed.compose("up", "--detach")
        composed.until_healthy()
    assert objects("") == before


def test_taken_down_it_leaves_nothing(composed):
    with composed.engine.measured("down"):
        composed.compose("down", "--volumes")
    for kind in (["ps", "--all", "--quiet"], ["volume", "ls", "--quiet"]):
        assert composed.engine.run("docker", *kind) == ""
    networks = composed.engine.run("docker", "network", "ls", "--format", "{{.Name}}").split()
    assert sorted(networks) == ["bridge", "host", "none"]

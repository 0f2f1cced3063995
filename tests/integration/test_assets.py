"""Pictures as assets, under a real scheduler: the next Dag reads from the event what was stored, and why."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path
from urllib.parse import unquote

import pytest
from migrated import migrated
from patience import PATIENCE

pytestmark = pytest.mark.integration

PAGES = ["A snail & its <house>", "{{ the sea }}", "一片叶子"]


def events(deployment, **query):
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return deployment.api(f"/assets/events?limit=1000&{text}")["asset_events"]


def test_a_dag_that_is_scheduled_on_the_pictures_reads_their_paths_and_prompts_from_the_events(
    deployment, keyed_sandbox, tmp_path
):
    keyed_sandbox.reset()
    deployment.unpause("talecraft_assets_sheet")
    _, state = deployment.run("talecraft_assets_draw", {"pages": PAGES, "destination": f"file://{tmp_path}"})
    assert state == "success"
    stored = [event["extra"] for event in events(deployment, source_dag_id="talecraft_assets_draw")]
    assert sorted(extra["prompt"] for extra in stored) == sorted(PAGES)
    for extra in stored:
        assert Path(extra["path"].removeprefix("file://")).stat().st_size == extra["size"]
        assert all(value is None or isinstance(value, (str, int)) for value in extra.values()), "flat"

    def sheet():
        runs = deployment.api("/dags/talecraft_assets_sheet/dagRuns")["dag_runs"]
        done = [run for run in runs if run["state"] == "success"]
        return deployment.xcom("talecraft_assets_sheet", done[-1]["dag_run_id"], "sheet") if done else None

    assert deployment.until(sheet, "the pictures triggered nothing") == f"file://{tmp_path}/contact-sheet.html"

    # Events that come one by one may make more than one run.
    def whole():
        page = (tmp_path / "contact-sheet.html").read_text()
        return page if page.count("<img") == len(PAGES) else None

    page = deployment.until(whole, "a page is missing")
    assert all(escape(prompt) in page for prompt in PAGES)
    assert "<house>" not in page
    for file in re.findall('src="(.*?)"', page):
        assert (tmp_path / unquote(file)).read_bytes().startswith(b"\xff\xd8\xff")


def test_under_an_alias_there_is_an_asset_for_every_picture(deployment, keyed_sandbox, tmp_path):
    keyed_sandbox.reset()
    _, state = deployment.run("talecraft_aliases", {"destination": f"file://{tmp_path}"})
    assert state == "success"
    found = {event["source_task_id"]: event for event in events(deployment, source_dag_id="talecraft_aliases")}
    assert found["store"]["extra"]["prompt"] == "An alias, {{"
    assert found["store"]["extra"]["path"] == f"file://{tmp_path}/狐狸.jpeg"
    assert found["store"]["uri"] == f"file://{tmp_path}/%E7%8B%90%E7%8B%B8.jpeg"
    assert found["generate"]["extra"]["image_url"] == found["generate"]["uri"]


def test_openlineage_is_told_from_the_endpoint_to_the_object(connected, tmp_path):
    pytest.importorskip("airflow.providers.openlineage", reason="told only where it is installed")
    told = tmp_path / "lineage.jsonl"
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(migrated(tmp_path / "home")),
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(told), "append": True}),
    }
    conf = json.dumps({"destination": f"file://{tmp_path}/books", "prompt": "A fox"})
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "dags", "test", "talecraft_quickstart", "--conf", conf],
        env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (picture,) = (tmp_path / "books").rglob("*.jpeg")
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    (event,) = [line for line in lines if line["job"]["name"].endswith(".store") and line["eventType"] == "COMPLETE"]
    assert [(data["namespace"], data["name"]) for data in event["inputs"]] == [(connected.url, "/api/v1/generate")]
    ((namespace, name),) = [(data["namespace"], data["name"]) for data in event["outputs"]]
    assert (namespace, name) == ("file", str(picture))
    assert connected.api_key not in told.read_text()

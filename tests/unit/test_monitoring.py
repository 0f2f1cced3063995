"""docs/monitoring.md and the files beside it speak of the metrics that there are, and Prometheus takes its rules."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from patience import PATIENCE

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.spending import metrics

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "monitoring.md").read_text()
FILES = DOCS / "monitoring"
MAPPINGS = yaml.safe_load((FILES / "statsd-exporter.yaml").read_text())["mappings"]
DASHBOARD = json.loads((FILES / "dashboard.json").read_text())
RULES = [rule for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = [*QUERIES, *(rule["expr"] for rule in RULES)]
LABELS = {"dag_id", "task_id", "conn_id", "error", "waits_for", "le"}


def mapped(name):
    """Return what statsd_exporter calls a metric of ours: the first mapping that matches it, one ``*`` at most."""
    for mapping in MAPPINGS:
        if fnmatch.fnmatchcase(f"airflow.{name}", mapping["match"]):
            return mapping["name"].replace("${1}", name.rpartition(".")[2]), mapping.get("observer_type")
    return None, None


def names():
    """Return every name that Prometheus gets from us."""
    for counter in metrics.COUNTERS:
        yield mapped(counter)[0]
    for timing in metrics.TIMINGS:
        name, kind = mapped(timing)
        assert kind == "histogram"
        yield from (f"{name}_{part}" for part in ("bucket", "sum", "count"))


def test_every_metric_has_a_name_of_its_own_in_prometheus():
    found = list(names())
    assert all(re.fullmatch(r"talecraft_[a-z_]+", name) for name in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_names_only_metrics_labels_and_errors_that_there_are(expression):
    named = set(re.findall(r"\btalecraft_\w+", expression))
    assert named
    assert named <= set(names())
    selected = re.findall(r'(\w+)=~?"([^"]*)"', expression)
    grouped = ", ".join(re.findall(r"\bby \(([^)]*)\)", expression)).split(", ")
    assert {label for label, _ in selected} | {label for label in grouped if label} <= LABELS
    for label, value in selected:
        assert label != "error" or set(value.split("|")) <= set(metrics.KINDS.values())


def test_the_dashboard_shows_every_metric():
    shown = set(re.findall(r"talecraft_\w+", " ".join(QUERIES)))
    for name in (*metrics.COUNTERS, *metrics.TIMINGS):
        assert any(each.startswith(mapped(name)[0]) for each in shown), name


def test_an_alert_names_only_labels_that_it_has():
    for rule in RULES:
        by = set(", ".join(re.findall(r"sum by \(([^)]*)\)", rule["expr"])).split(", "))
        said = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert said <= by, rule["alert"]


def test_the_table_has_every_metric_with_its_type_and_its_tags():
    rows = re.findall(r"^\| `(talecraft\.\w+)` \| (\w+)[^|]*\| (?:`(\w+)`)?\s*\|", PAGE, re.MULTILINE)
    more = {metrics.REFUSED: "error", metrics.WAIT: "waits_for"}
    wanted = {name: ("counter", more.get(name, "")) for name in metrics.COUNTERS}
    wanted |= {name: ("timing", more.get(name, "")) for name in metrics.TIMINGS}
    assert {name: (kind, tag) for name, kind, tag in rows} == wanted
    assert f"what it cost, {CREDITS} |" in PAGE


def test_the_page_names_every_value_of_a_tag():
    kinds = re.search(r"^- `error` is one of (.*?):", PAGE, re.MULTILINE | re.DOTALL).group(1)
    assert re.findall(r"`(\w+)`", kinds) == list(metrics.KINDS.values())
    assert f"- `waits_for` is `{metrics.TURN}`" in PAGE
    assert f"or `{metrics.ANOTHER_TASK}`" in PAGE


@pytest.fixture
def promtool():
    found = shutil.which("promtool")
    if not found:
        assert os.environ.get("TALECRAFT_PROMTOOL") != "required", "promtool is missing"
        pytest.skip("promtool, of Debian's package prometheus, is not there")
    return found


def run(promtool, *arguments, folder=FILES):
    return subprocess.run(
        [promtool, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_the_rules_are_valid_and_fire_when_they_should(promtool):
    for arguments in (("check", "rules", "alerts.yaml"), ("test", "rules", "alerts-test.yaml")):
        done = run(promtool, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case(promtool):
    cases = (FILES / "alerts-test.yaml").read_text()
    for rule in RULES:
        assert rule["alert"] in cases


@pytest.mark.parametrize("query", QUERIES)
def test_prometheus_can_read_the_dashboards_queries(promtool, tmp_path, query):
    expression = re.sub(r"\$__(rate_interval|range)", "5m", query).replace("$dag_id", ".*").replace("$conn_id", ".*")
    rule = {"groups": [{"name": "dashboard", "rules": [{"record": "query", "expr": expression}]}]}
    (tmp_path / "query.yaml").write_text(yaml.safe_dump(rule))
    done = run(promtool, "check", "rules", "query.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr

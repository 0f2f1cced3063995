"""The official chart takes docs/kubernetes/values.yaml, and makes the pod of docs/kubernetes/pod-template.yaml.

The chart comes from no package registry, and Helm's library is 75 MB: ``pip install helm-python-sdk``, and
``TALECRAFT_CHART=airflow-1.22.0.tgz``, the file that ``helm pull apache-airflow/airflow`` brings.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

CHART = os.environ.get("TALECRAFT_CHART")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not CHART, reason="TALECRAFT_CHART does not name the chart's file"),
]

DOCS = Path(__file__).parents[2] / "docs"
VALUES = yaml.safe_load((DOCS / "kubernetes" / "values.yaml").read_text())
TEMPLATE = yaml.safe_load((DOCS / "kubernetes" / "pod-template.yaml").read_text())


@pytest.fixture(scope="module")
def chart():
    helm = pytest.importorskip("helm_python", reason="pip install helm-python-sdk")
    with helm.Chart.load(CHART) as chart:
        yield chart


@pytest.fixture(scope="module")
def objects(chart):
    """All Kubernetes objects of the release, by kind and name."""
    texts = chart.render(VALUES, name="airflow", namespace="airflow")
    every = [one for name, text in texts.items() if name.endswith(".yaml") for one in yaml.safe_load_all(text) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in every}


@pytest.fixture(scope="module")
def pod(objects):
    return yaml.safe_load(objects["ConfigMap", "airflow-config"]["data"]["pod_template_file.yaml"])


def test_the_chart_is_the_one_that_the_page_names(chart):
    (named,) = set(re.findall(r"--version ([\d.]+)", (DOCS / "kubernetes.md").read_text()))
    assert (chart.name, chart.version) == ("airflow", named)


def test_the_values_follow_the_charts_schema(chart):
    chart.validate_schema(VALUES)


def test_the_charts_pod_has_what_the_pod_template_has(pod):
    (ours,), (theirs,) = TEMPLATE["spec"]["containers"], pod["spec"]["containers"]
    assert theirs["resources"] == ours["resources"]
    assert next(one for one in ours["env"] if "valueFrom" in one) in theirs["env"]
    for name in ("restartPolicy", "terminationGracePeriodSeconds", "serviceAccountName", "securityContext"):
        assert pod["spec"][name] == TEMPLATE["spec"][name]
    assert TEMPLATE["metadata"]["annotations"].items() <= pod["metadata"]["annotations"].items()


def test_the_key_is_in_the_workers_pod_and_in_nothing_else(objects, pod):
    others = {name: one for name, one in objects.items() if name != ("ConfigMap", "airflow-config")}
    assert "AIRFLOW_CONN_TALECRAFT_DEFAULT" in str(pod)
    assert "TALECRAFT" not in str(others)


def test_an_upgrade_makes_no_new_secret_that_the_running_pods_depend_on(objects):
    made = {name for kind, name in objects if kind == "Secret"}
    assert made <= {"airflow-redis-password", "airflow-broker-url"}  # of Celery


def test_the_executor_starts_the_image_with_the_package(objects):
    configuration = objects["ConfigMap", "airflow-config"]["data"]["airflow.cfg"]
    image = VALUES["images"]["airflow"]
    assert f"worker_container_repository = {image['repository']}" in configuration
    assert f"worker_container_tag = {image['tag']}" in configuration
    assert "executor = KubernetesExecutor" in configuration
    assert "remote_logging = True" in configuration


def test_the_dags_are_the_branchs(pod):
    (sync,) = pod["spec"]["initContainers"]
    assert {"name": "GITSYNC_REF", "value": VALUES["dags"]["gitSync"]["ref"]} in sync["env"]

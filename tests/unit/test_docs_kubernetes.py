"""docs/kubernetes.md and its two files agree with each other, with the hook, and with Airflow's own idea of a pod."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "kubernetes.md").read_text()
VALUES = yaml.safe_load((DOCS / "kubernetes" / "values.yaml").read_text())
WORKERS = VALUES["workers"]["kubernetes"]
TEMPLATE = yaml.safe_load((DOCS / "kubernetes" / "pod-template.yaml").read_text())
SPEC = TEMPLATE["spec"]
(CONTAINER,) = SPEC["containers"]


def test_a_pod_that_is_told_to_go_has_time_for_the_longest_request_and_for_storing(connect):
    connect(password="tc-secret")
    assert SPEC["terminationGracePeriodSeconds"] >= TaleCraftHook().settings.read_timeout + 60


def test_the_pod_template_is_the_pod_that_the_values_make():
    assert SPEC["terminationGracePeriodSeconds"] == WORKERS["terminationGracePeriodSeconds"]
    evict = TEMPLATE["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"]
    assert (evict == "true") is WORKERS["safeToEvict"]
    assert CONTAINER["resources"] == WORKERS["resources"]
    assert [one for one in CONTAINER["env"] if "valueFrom" in one] == WORKERS["env"]
    image = VALUES["images"]["airflow"]
    assert CONTAINER["image"] == f"{image['repository']}:{image['tag']}"


def test_the_key_comes_from_a_secret_to_the_workers_alone():
    (variable,) = WORKERS["env"]
    assert variable["name"] == f"AIRFLOW_CONN_{TaleCraftHook.default_conn_name.upper()}"
    assert not {"secret", "env", "extraEnv", "extraEnvFrom", "extraSecrets"} & set(VALUES)


def test_every_secret_that_the_values_name_is_made_on_the_page():
    named = {VALUES["data"]["metadataSecretName"]} | {value for name, value in VALUES.items() if name.endswith("Name")}
    named |= {one["valueFrom"]["secretKeyRef"]["name"] for one in WORKERS["env"]}
    assert set(re.findall(r"create secret generic (\S+)", PAGE)) == named


def test_every_value_that_the_page_names_is_there():
    for path in re.findall(r"^\| [^|]+ \| `([\w.]+)(?:: [^`]+)?`", PAGE, re.MULTILINE):
        here = VALUES
        for part in path.split("."):
            here = here[part]


def test_the_versions_of_airflow_are_the_images():
    (tag,) = re.findall(r"FROM apache/airflow:(\d+\.\d+\.\d+)-", PAGE)
    assert f'"apache-airflow=={tag}"' in PAGE
    assert VALUES["airflowVersion"] == tag
    assert VALUES["images"]["airflow"]["tag"].startswith(f"{tag}-")


def test_the_pod_template_is_one_that_airflow_reads():
    generator = pytest.importorskip("airflow.providers.cncf.kubernetes.pod_generator").PodGenerator
    pod = generator.deserialize_model_file(str(DOCS / "kubernetes" / "pod-template.yaml"))
    assert pod.spec.termination_grace_period_seconds == SPEC["terminationGracePeriodSeconds"]
    assert pod.spec.containers[0].env[1].value_from.secret_key_ref.name == "talecraft"
    # Nothing is lost on the way, as a misspelt field would be.
    assert generator.serialize_pod(pod)["spec"] == SPEC


def test_the_override_of_one_task_changes_that_and_keeps_the_rest():
    generator = pytest.importorskip("airflow.providers.cncf.kubernetes.pod_generator").PodGenerator
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {"GenerateIllustrationBatchOperator": GenerateIllustrationBatchOperator}
    exec(snippet, names)
    override = names["book"].executor_config["pod_override"]
    base = generator.deserialize_model_file(str(DOCS / "kubernetes" / "pod-template.yaml"))
    spec = generator.serialize_pod(generator.reconcile_pods(base, override))["spec"]
    (container,) = spec["containers"]
    assert spec["terminationGracePeriodSeconds"] == override.spec.termination_grace_period_seconds
    assert container["resources"]["limits"] == {"memory": "2Gi"}
    assert container["env"] == CONTAINER["env"]

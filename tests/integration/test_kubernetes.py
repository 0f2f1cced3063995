"""KubernetesExecutor itself, whose pods are told to go while a paid request is on its way; then read the ledger."""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from cluster import Cluster
from deployment import Deployment
from packaging.version import Version
from patience import HELD

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        Version(version("apache-airflow")) < Version("3.3"), reason="docs/kubernetes.md is about Airflow 3.3"
    ),
]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "kubernetes"
DAG = "talecraft_pods"
KEY = "tc-live-in-a-secret-of-the-cluster"
IMAGE = ("registry.example.com/airflow-talecraft", "3.3.2-0.1.0")
#: Charged, and not answered before their pods were told to go.
FIRST = {
    "generate": "A fox waits for its picture",
    "draw": "An owl waits for its picture",
    "at_once": "A hare has no time",
    "batch": "Badger number 0",
    "restarted": "A heron waits for the scheduler",
}


@pytest.fixture(scope="module")
def sandbox():
    from airflow_provider_talecraft.sandbox import Sandbox

    with Sandbox(latency=0, api_keys=(KEY,)) as sandbox:
        sandbox.faults([{"prompt": prompt, "delay_after_charge": HELD} for prompt in FIRST.values()])
        yield sandbox


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, sandbox):
    connection = {"conn_type": "talecraft", "host": sandbox.url, "password": KEY}
    with Cluster(tmp_path_factory.mktemp("cluster"), {"talecraft": {"connection": json.dumps(connection)}}) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def airflow(tmp_path_factory, cluster):
    """Airflow with KubernetesExecutor over the stand-in, and the pod template of docs/."""
    home = tmp_path_factory.mktemp("airflow")
    template = yaml.safe_load((DOCS / "pod-template.yaml").read_text())
    deployment = Deployment(home, Path(__file__).with_name("dags_kubernetes"), {
        "AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__KUBERNETES_EXECUTOR__CONFIG_FILE": str(cluster.config),
        "AIRFLOW__KUBERNETES_EXECUTOR__DELETE_WORKER_PODS_ON_FAILURE": "False",
        "AIRFLOW__KUBERNETES_EXECUTOR__IN_CLUSTER": "False",
        "AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE": "airflow",
        "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": str(home / "pod-template.yaml"),
        "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_CONTAINER_REPOSITORY": IMAGE[0],
        "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_CONTAINER_TAG": IMAGE[1],
    })  # fmt: skip
    # The one thing in the template that is another here: a process has no names of the cluster's.
    address = template["spec"]["containers"][0]["env"][0]
    assert address["name"] == "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"
    address["value"] = f"{deployment.url}/execution/"
    (home / "pod-template.yaml").write_text(yaml.safe_dump(template))
    cluster.environment = {
        **deployment.environment,
        "PATH": f"{Path(sys.executable).parent}:{deployment.environment['PATH']}",
    }
    with deployment:
        yield deployment


@pytest.fixture(scope="module")
def run(airflow, cluster, sandbox, tmp_path_factory):
    """The Dag's run: each task's first pod is told to go when its request is charged and not answered yet.

    One is left alone, and the scheduler is restarted instead.
    """
    place = tmp_path_factory.mktemp("pictures")
    run_id = airflow.trigger(DAG, {"dst": f"file://{place}/owl.jpeg"})
    for task_id, prompt in FIRST.items():
        airflow.until(lambda prompt=prompt: prompt in charged(sandbox), f"{task_id} was not asked for")
        if task_id != "restarted":
            cluster.delete(first_pod(cluster, task_id))
    airflow.until(lambda: first_pod(cluster, "at_once") in cluster.ends, "it was not killed")
    airflow.until(lambda: "Killed. Nothing more is started." in airflow.logs(DAG), "the batch was not told")
    airflow.stop("scheduler")
    airflow.start("scheduler")
    sandbox.release()
    airflow.wait(DAG, run_id)
    airflow.until(lambda: set(cluster.created) == set(cluster.ends), "a pod did not end")
    return run_id


def first_pod(cluster, task_id):
    return next(name for name, pod in cluster.created.items() if pod["metadata"]["annotations"]["task_id"] == task_id)


def charged(sandbox):
    return Counter(charge["prompt"] for charge in sandbox.ledger()["charges"])


@pytest.mark.parametrize("task_id", ["generate", "draw"])
def test_a_pod_that_is_told_to_go_waits_for_the_picture_that_is_paid_for(airflow, cluster, sandbox, run, task_id):
    instance = airflow.task_instances(DAG, run)[task_id, -1]
    assert (instance["state"], instance["try_number"]) == ("success", 1)
    assert charged(sandbox)[FIRST[task_id]] == 1
    assert cluster.ends[first_pod(cluster, task_id)] == 0


def test_a_restarted_scheduler_takes_over_the_pods_that_run(airflow, sandbox, run):
    instance = airflow.task_instances(DAG, run)["restarted", -1]
    assert (instance["state"], instance["try_number"]) == ("success", 1)
    assert charged(sandbox)[FIRST["restarted"]] == 1


def test_a_pod_that_may_not_wait_pays_for_one_picture_more(airflow, cluster, sandbox, run):
    instance = airflow.task_instances(DAG, run)["at_once", -1]
    assert (instance["state"], instance["try_number"]) == ("success", 2)
    assert charged(sandbox)[FIRST["at_once"]] == 2
    assert cluster.ends[first_pod(cluster, "at_once")] == 128 + 9


def test_a_batch_that_is_told_to_go_starts_nothing_more_and_pays_for_nothing_twice(airflow, sandbox, run):
    instance = airflow.task_instances(DAG, run)["batch", -1]
    assert (instance["state"], instance["try_number"]) == ("success", 2)
    assert [charged(sandbox)[f"Badger number {number}"] for number in range(4)] == [1] * 4


def test_the_pod_is_the_templates_with_the_executors_image_and_arguments(cluster, run):
    template = yaml.safe_load((DOCS / "pod-template.yaml").read_text())["spec"]
    pods = {task_id: cluster.created[first_pod(cluster, task_id)]["spec"] for task_id in FIRST}
    for pod in pods.values():
        (container,) = pod["containers"]
        assert container["image"] == ":".join(IMAGE)
        assert container["args"][:4] == ["python", "-m", "airflow.sdk.execution_time.execute_workload", "--json-string"]
        assert container["resources"] == template["containers"][0]["resources"]
        for variable in template["containers"][0]["env"][1:]:
            assert variable in container["env"]
    graces = {task_id: pod["terminationGracePeriodSeconds"] for task_id, pod in pods.items()}
    assert graces == {**dict.fromkeys(FIRST, template["terminationGracePeriodSeconds"]), "at_once": 1}


def test_the_key_is_in_no_pod_and_in_no_log(airflow, cluster, run):
    assert KEY not in json.dumps(cluster.created)
    assert KEY not in airflow.logs(DAG)
    assert KEY not in "".join(path.read_text() for path in cluster.folder.glob("*.log"))


def test_a_picture_fits_into_the_memory_that_the_pod_asks_for(cluster, run):
    (container,) = yaml.safe_load((DOCS / "pod-template.yaml").read_text())["spec"]["containers"]
    assert container["resources"]["requests"]["memory"] == "512Mi"
    peaks = {task_id: f"{cluster.peaks[first_pod(cluster, task_id)] / 2**20:.0f} MiB" for task_id in FIRST}
    assert max(cluster.peaks.values()) < 512 * 2**20, peaks

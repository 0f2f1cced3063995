"""Nothing of an Airflow outlives the tests that started it; what holds for the other servers is in test_stores.py."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version

import psutil
import pytest
from packaging.version import Version
from patience import left_of, until

pytestmark = pytest.mark.integration

#: Three processes of Airflow, which are up when they have children of their own.
DEPLOYMENT = "airflow = Deployment(home, home).__enter__()"
#: A pod whose container's process begins a group of its own, as a task's does.
CLUSTER = """
cluster = Cluster(home, {}).__enter__()
in_a_group = "import os, time; os.fork() or os.setpgid(0, 0); time.sleep(600)"
container = {"args": [sys.executable, "-c", in_a_group], "env": []}
cluster.create({"metadata": {"name": "pod", "labels": {}}, "spec": {"containers": [container]}})
"""


@pytest.mark.parametrize(
    ("started", "count"),
    [
        pytest.param(
            DEPLOYMENT,
            4,
            id="deployment",
            marks=pytest.mark.skipif(
                Version(version("apache-airflow")) < Version("3"), reason="it is an Airflow 3; before, there is none"
            ),
        ),
        pytest.param(CLUSTER, 2, id="cluster"),
    ],
)
def test_what_tests_started_does_not_outlive_them_when_they_are_killed(started, count, tmp_path):
    code = f"""
import pathlib, sys, time
from cluster import Cluster
from deployment import Deployment
home = pathlib.Path(sys.argv[1])
{started}
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as tests:
        try:
            family = _family(tests, count)
        finally:
            tests.kill()
    assert not left_of(family)


def _family(tests, count):
    """Return all that the tests have started, once there are so many beside the watcher."""
    started = psutil.Process(tests.pid)
    until(lambda: len(started.children(recursive=True)) > count, "they were not started")
    return started.children(recursive=True)

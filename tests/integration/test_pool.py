"""Three Dags, one account with two requests at a time: the pool of docs/scale.md, under a real scheduler."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.sandbox import Sandbox

pytestmark = pytest.mark.integration

LATENCY = 2.0
NAMES = ("first", "second", "batch")


@pytest.fixture(scope="module")
def shared(deployment):
    """A sandbox that refuses a third request at the same time, its connection, and the pool."""
    with Sandbox(latency=LATENCY, max_concurrency=2) as sandbox:
        deployment.api("/pools", {"name": "talecraft", "slots": 2})
        connection = {"conn_type": "talecraft", "host": sandbox.url, "password": sandbox.api_key}
        deployment.api("/connections", {"connection_id": "talecraft_shared", **connection})
        yield sandbox


def play(deployment, sandbox, pool):
    """Run all three Dags at the same time; return what the sandbox was asked, and what of it it refused."""
    sandbox.reset()
    dags = [f"talecraft_{pool}_{name}" for name in NAMES]
    for dag in dags:
        deployment.unpause(dag)
    runs = [(dag, deployment.trigger(dag)) for dag in dags]
    assert [deployment.wait(*run) for run in runs] == ["success"] * len(runs)
    ledger = sandbox.ledger()
    assert len({charge["prompt"] for charge in ledger["charges"]}) == len(ledger["charges"]) == 6 * len(NAMES)
    refused = [request for request in ledger["requests"] if request["outcome"] != "delivered"]
    return ledger["requests"], refused


def test_a_pool_keeps_several_dags_within_the_plans_concurrency(deployment, shared):
    requests, refused = play(deployment, shared, "talecraft")
    assert not refused
    times = sorted(request["time"] for request in requests)
    assert all(third - first >= LATENCY for first, third in zip(times, times[2:], strict=False))


def test_without_it_requests_are_refused_and_every_picture_comes_all_the_same(deployment, shared):
    _, refused = play(deployment, shared, "default_pool")
    assert refused

"""A hundred illustrations in one task: kill it, stop it, let it run out of time; then read the ledger and the clock."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from urllib.parse import quote

import pytest
from patience import HELD

pytestmark = pytest.mark.integration

COUNT = 100
#: What is on its way when the worker is killed, by number: as many as may be.
KILLS = (range(20, 28), range(45, 53), range(85, 93))


def charges(sandbox):
    """Return how often each prompt was charged."""
    return Counter(charge["prompt"] for charge in sandbox.ledger()["charges"])


def on_their_way(sandbox):
    return [request["prompt"] for request in sandbox.ledger()["requests"] if request["outcome"] == "in progress"]


def records(deployment, dag_id, run_id, task_id):
    """Return the records of the illustrations in the task state store, by key."""
    path = f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/state-store"
    found = {}
    while True:
        answer = deployment.api(f"{path}?limit=50&offset={len(found)}")
        found |= {entry["key"]: entry["value"] for entry in answer["task_state_store"]}
        if len(found) >= answer["total_entries"]:
            found.pop("talecraft", None)
            pages = [json.loads(page) if isinstance(page, str) else page for page in found.values()]
            return {name: entry for page in pages for name, entry in page["illustrations"].items()}


def instance(deployment, dag_id, run_id, task_id):
    return deployment.task_instances(dag_id, run_id)[task_id, -1]


def prompts(numbers):
    return {f"Killed {number:03}." for number in numbers}


@pytest.fixture(scope="module")
def killed(deployment, keyed_sandbox):
    """A hundred illustrations whose worker is killed three times; the records just before and just after each."""
    keyed_sandbox.reset()
    # At each of these, eight requests are charged and then keep their threads waiting, once.
    keyed_sandbox.faults([{"prompt": prompt, "delay_after_charge": HELD} for kill in KILLS for prompt in prompts(kill)])
    run_id = deployment.trigger("talecraft_batch")
    seen = []
    for number, kill in enumerate(KILLS, start=1):
        deployment.until(lambda kill=kill: prompts(kill) <= set(on_their_way(keyed_sandbox)), "they were not asked for")
        before = records(deployment, "talecraft_batch", run_id, "killed")
        task = instance(deployment, "talecraft_batch", run_id, "killed")
        assert task["try_number"] == number
        os.kill(task["pid"], signal.SIGKILL)
        seen.append((before, records(deployment, "talecraft_batch", run_id, "killed"), charges(keyed_sandbox)))
    return run_id, deployment.wait("talecraft_batch", run_id), seen


def test_a_batch_that_is_killed_three_times_delivers_everything(deployment, killed):
    run_id, state, _ = killed
    assert state == "success"
    assert instance(deployment, "talecraft_batch", run_id, "killed")["try_number"] == len(KILLS) + 1
    result = deployment.xcom("talecraft_batch", run_id, "killed")
    assert [entry["index"] for entry in result] == list(range(COUNT))
    assert all(entry["image_url"] for entry in result)


def test_what_was_delivered_before_a_kill_is_never_charged_again(keyed_sandbox, killed):
    _, _, seen = killed
    now = charges(keyed_sandbox)
    for kill, (before, _, then) in zip(KILLS, seen, strict=True):
        delivered = {record["prompt"] for record in before.values() if record["state"] == "delivered"}
        assert delivered == prompts(range(kill.start))
        assert {prompt: now[prompt] for prompt in delivered} == {prompt: then[prompt] for prompt in delivered}


def test_a_kill_costs_what_was_on_its_way_and_no_more(keyed_sandbox, killed):
    _, _, seen = killed
    for kill, (_, after, _) in zip(KILLS, seen, strict=True):
        assert {record["prompt"] for record in after.values() if record["state"] == "sent"} == prompts(kill)
    lost = set().union(*map(prompts, KILLS))
    assert charges(keyed_sandbox) == {prompt: 1 + (prompt in lost) for prompt in prompts(range(COUNT))}


def test_every_picture_that_is_handed_on_was_charged_and_the_replays_are_told(deployment, keyed_sandbox, killed):
    run_id, _, _ = killed
    paid = {charge["id"] for charge in keyed_sandbox.ledger()["charges"]}
    assert {entry["id"] for entry in deployment.xcom("talecraft_batch", run_id, "killed")} <= paid
    kept = records(deployment, "talecraft_batch", run_id, "killed")
    lost = sum(map(len, KILLS))
    assert sum(record["replays"] for record in kept.values()) == lost
    told = re.findall(r"; (\d+) to (\d+) credits now", deployment.logs("talecraft_batch"))
    assert max(int(most) - int(least) for least, most in told) == 2 * lost


def test_a_timeout_ends_the_task_at_once_and_the_next_try_draws_what_is_missing(deployment, keyed_sandbox):
    keyed_sandbox.reset()
    keyed_sandbox.fault(prompt="Timed out 019", delay_after_charge=HELD)
    run_id, state = deployment.run("talecraft_batch_timeout")
    assert state == "success"
    log = deployment.logs("talecraft_batch_timeout")
    assert "Requests on their way: prompts[19]. Each may have been charged" in log
    charged = charges(keyed_sandbox)
    assert charged == {f"Timed out {n:03}.": 2 if n == 19 else 1 for n in range(20)}
    spent = instance(deployment, "talecraft_batch_timeout", run_id, "timed_out")
    assert (spent["state"], spent["try_number"]) == ("success", 2)


def test_a_task_that_a_person_stops_starts_nothing_more_and_says_what_is_on_its_way(deployment, keyed_sandbox):
    keyed_sandbox.reset()
    # Sixteen are delivered, then eight are on their way, and sixteen are left.
    held = (0, *range(17, 40))
    keyed_sandbox.faults([{"prompt": f"Stopped {number:03}.", "delay_after_charge": HELD} for number in held])
    run_id = deployment.trigger("talecraft_batch_stopped")
    deployment.until(lambda: len(on_their_way(keyed_sandbox)) == 8, "they were not asked for")
    path = f"/dags/talecraft_batch_stopped/dagRuns/{quote(run_id)}/taskInstances/stopped"
    deployment.api(path, {"new_state": "failed"}, method="PATCH")
    deployment.until(
        lambda: "Killed. Nothing more is started." in deployment.logs("talecraft_batch_stopped"), "nothing was said"
    )
    assert "prompts[0] ('000')" in deployment.logs("talecraft_batch_stopped")
    states = Counter(
        record["state"] for record in records(deployment, "talecraft_batch_stopped", run_id, "stopped").values()
    )
    assert (states["sent"], states["delivered"]) == (8, 16)
    keyed_sandbox.release()
    deployment.until(lambda: not on_their_way(keyed_sandbox), "a request did not end")
    assert len(keyed_sandbox.ledger()["requests"]) == 24


@pytest.fixture(scope="module")
def limited(deployment, limited_sandbox, tmp_path_factory):
    """Two hundred illustrations against a service that counts; the manifest and the arrivals."""
    manifest = tmp_path_factory.mktemp("manifest") / "book.jsonl"
    run_id, state = deployment.run("talecraft_batch_limits", {"manifest_path": f"file://{manifest}"})
    assert state == "success"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    summary = deployment.xcom("talecraft_batch_limits", run_id, "limited")
    return summary, lines, limited_sandbox.ledger()["requests"]


def test_the_service_never_sees_more_than_the_limit(limited):
    _, _, requests = limited
    times = sorted(request["time"] for request in requests)
    assert [request["outcome"] for request in requests] == ["delivered"] * 200
    assert max(sum(first <= other < first + 60 for other in times) for first in times) <= 120


def test_a_large_batch_leaves_a_manifest_in_order_and_a_small_summary(limited):
    summary, lines, _ = limited
    assert [line["index"] for line in lines] == list(range(200))
    assert {name: summary[name] for name in ("count", "delivered", "failed", "replayed", "credits")} == {
        "count": 200, "delivered": 200, "failed": 0, "replayed": 0, "credits": 400,
    }  # fmt: skip
    assert summary["manifest_path"].endswith("/book.jsonl")

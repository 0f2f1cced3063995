"""Kill workers, lose answers, clear tasks, restart the scheduler; then read the ledger."""

from __future__ import annotations

import os
import signal
from collections import Counter
from urllib.parse import quote

import pytest
from patience import HELD

pytestmark = pytest.mark.integration

FAULTS = {
    "during_before_charge": [{"delay_before_charge": HELD}],
    "during_after_charge": [{"delay_after_charge": HELD}],
    "dropped_before_charge": [{"drop": "before_charge"}],
    "dropped_after_charge": [{"drop": "after_charge"}],
    "lost_twice": [{"drop": "after_charge", "times": 2}],
    "never_twice": [{"drop": "after_charge"}],
    "policy_off": [{"drop": "after_charge"}],
    "timed_out": [{"delay_after_charge": HELD}],
    "fallback": [{"message": "Generation failed"}],
    "fallback_two": [{"message": "Generation failed: not this either"}],
    "mapped_2": [{"delay_after_charge": HELD}],
    "mapped_5": [{"delay_after_charge": HELD}],
    "mapped_7": [{"delay_after_charge": HELD}],
    "hook_lost": [{"drop": "after_charge"}],
}

#: prompt: (task, map index) whose process is killed while the request is on its way
KILLED = {
    "during_before_charge": ("during_before_charge", -1),
    "during_after_charge": ("during_after_charge", -1),
    **{f"mapped_{n}": ("mapped", n) for n in (2, 5, 7)},
}

#: task: its state, and how often its prompt was charged
EXPECTED = {
    "before_the_record": ("success", 1),
    "before_the_post": ("success", 1),
    "during_before_charge": ("success", 2),
    "during_after_charge": ("success", 2),
    "after_the_answer": ("success", 1),
    "dropped_before_charge": ("success", 1),
    "dropped_after_charge": ("success", 2),
    "lost_twice": ("failed", 2),
    "never_twice": ("failed", 1),
    "policy_off": ("failed", 1),
    "timed_out": ("success", 2),
}


def prompt(name):
    return f"A fox, then {name}."


def charges(sandbox):
    """Return how often each prompt was charged."""
    return Counter(charge["prompt"] for charge in sandbox.ledger()["charges"])


def script(sandbox, faults):
    sandbox.reset()
    for name, several in faults.items():
        sandbox.faults([{"prompt": prompt(name), **fault} for fault in several])


def requests_on_their_way(sandbox):
    """Return the prompts of the requests that have reached the sandbox and are not answered yet."""
    return [request["prompt"] for request in sandbox.ledger()["requests"] if request["outcome"] == "in progress"]


def wait_on_its_way(deployment, sandbox, name):
    """Wait until a request has reached the sandbox and is not answered yet."""
    deployment.until(lambda: prompt(name) in requests_on_their_way(sandbox), f"{name} was not asked for")


@pytest.fixture(scope="module")
def money(deployment, keyed_sandbox):
    """The Dag of kills and losses, run once; its run id and how often each prompt was charged."""
    script(keyed_sandbox, FAULTS)
    run_id = deployment.trigger("talecraft_money")
    left = dict(KILLED)
    while left:
        name = deployment.until(
            lambda: next((name for name in left if prompt(name) in requests_on_their_way(keyed_sandbox)), None),
            f"nobody asked for any of {list(left)}",
        )
        os.kill(deployment.task_instances("talecraft_money", run_id)[left.pop(name)]["pid"], signal.SIGKILL)
    deployment.wait("talecraft_money", run_id)
    # The service goes on with the requests of killed tasks, and charges them when it is done.
    keyed_sandbox.release()
    deployment.until(lambda: not requests_on_their_way(keyed_sandbox), "a request did not end")
    return run_id, charges(keyed_sandbox)


@pytest.mark.parametrize("task_id", EXPECTED)
def test_a_task_is_charged_exactly_as_the_rules_say(deployment, money, task_id):
    run_id, charged = money
    state, count = EXPECTED[task_id]
    assert deployment.task_instances("talecraft_money", run_id)[task_id, -1]["state"] == state
    assert charged[prompt(task_id)] == count


@pytest.mark.parametrize("task_id", [task_id for task_id, (state, _) in EXPECTED.items() if state == "success"])
def test_a_picture_that_is_handed_on_is_one_that_was_charged(deployment, money, keyed_sandbox, task_id):
    run_id, _ = money
    paid = {charge["id"] for charge in keyed_sandbox.ledger()["charges"]}
    result = deployment.xcom("talecraft_money", run_id, task_id)
    assert result["id"] in paid
    assert result["image_url"] == deployment.xcom("talecraft_money", run_id, task_id, key="image_url")


@pytest.mark.parametrize("task_id", ["lost_twice", "never_twice", "policy_off"])
def test_a_task_that_gives_up_says_what_is_at_stake_and_how_to_go_on(deployment, money, task_id):
    (log, *_) = sorted(deployment.home.glob(f"logs/dag_id=talecraft_money/*/task_id={task_id}/*.log"), reverse=True)
    text = log.read_text()
    assert "TaleCraftOutcomeUnknownError" in text
    assert f"Up to {4 if task_id == 'lost_twice' else 2} credits" in text
    assert "It is not sent again" in text
    assert "Task State Store" in text


def test_of_ten_mapped_tasks_with_three_killed_ten_deliver_and_thirteen_are_charged(deployment, money):
    run_id, charged = money
    instances = deployment.task_instances("talecraft_money", run_id)
    assert [instances["mapped", n]["state"] for n in range(10)] == ["success"] * 10
    assert [charged[prompt(f"mapped_{n}")] for n in range(10)] == [2 if n in {2, 5, 7} else 1 for n in range(10)]


def test_fallback_prompts_are_tried_in_order_in_the_same_try_and_the_result_names_the_one(deployment, money):
    run_id, charged = money
    instance = deployment.task_instances("talecraft_money", run_id)["fallback", -1]
    assert (instance["state"], instance["try_number"]) == ("success", 1)
    assert deployment.xcom("talecraft_money", run_id, "fallback")["prompt"] == prompt("fallback_three")
    assert [charged[prompt(name)] for name in ("fallback", "fallback_two", "fallback_three")] == [0, 0, 1]


def test_the_hook_in_a_plain_task_keeps_a_record_of_each_call(deployment, money):
    run_id, charged = money
    instance = deployment.task_instances("talecraft_money", run_id)["hook_in_a_task", -1]
    assert (instance["state"], instance["try_number"]) == ("success", 2)
    assert (charged[prompt("hook_same")], charged[prompt("hook_third")]) == (2, 1)
    assert len(set(deployment.xcom("talecraft_money", run_id, "hook_in_a_task"))) == 3


def test_the_hook_in_a_plain_task_never_pays_twice_when_told_so(deployment, money):
    run_id, charged = money
    assert deployment.task_instances("talecraft_money", run_id)["hook_without_an_answer", -1]["state"] == "failed"
    assert charged[prompt("hook_lost")] == 1


def test_no_killed_or_timed_out_task_logged_the_key(deployment, money, keyed_sandbox):
    log = deployment.logs("talecraft_money")
    assert "AirflowTaskTimeout" in log
    assert keyed_sandbox.api_key[12:] not in log


def record_path(run_id, task_id, key="talecraft"):
    return f"/dags/talecraft_clears/dagRuns/{quote(run_id)}/taskInstances/{task_id}/state-store/{key}"


def clear(deployment, run_id, *task_ids, dag_id="talecraft_clears"):
    body = {"dry_run": False, "dag_run_id": run_id, "task_ids": task_ids, "only_failed": False, "reset_dag_runs": True}
    deployment.api(f"/dags/{dag_id}/clearTaskInstances", body)
    return deployment.wait(dag_id, run_id)


@pytest.fixture(scope="module")
def clears(deployment, keyed_sandbox):
    """The Dag of clears, run once to its end; its run id and the results of its first run."""
    script(keyed_sandbox, {"clear_lost": [{"drop": "after_charge"}]})
    run_id, _ = deployment.run("talecraft_clears")
    return run_id, {name: deployment.xcom("talecraft_clears", run_id, name) for name in ("regenerate", "reuse")}


def test_a_clear_after_success_pays_for_a_new_picture(deployment, clears, keyed_sandbox):
    run_id, before = clears
    clear(deployment, run_id, "regenerate")
    assert charges(keyed_sandbox)[prompt("regenerate")] == 2
    assert deployment.xcom("talecraft_clears", run_id, "regenerate")["id"] != before["regenerate"]["id"]


def test_a_clear_after_success_returns_the_stored_one_when_told_so(deployment, clears, keyed_sandbox):
    run_id, before = clears
    clear(deployment, run_id, "reuse")
    assert charges(keyed_sandbox)[prompt("reuse")] == 1
    assert deployment.xcom("talecraft_clears", run_id, "reuse") == before["reuse"]


def test_a_clear_after_a_lost_answer_pays_only_once_a_person_has_deleted_the_record(deployment, clears, keyed_sandbox):
    run_id, _ = clears
    clear(deployment, run_id, "lost")
    assert deployment.task_instances("talecraft_clears", run_id)["lost", -1]["state"] == "failed"
    assert charges(keyed_sandbox)[prompt("clear_lost")] == 1
    deployment.api(record_path(run_id, "lost"), method="DELETE")
    clear(deployment, run_id, "lost")
    assert deployment.task_instances("talecraft_clears", run_id)["lost", -1]["state"] == "success"
    assert charges(keyed_sandbox)[prompt("clear_lost")] == 2


def test_a_record_edited_by_hand_to_nonsense_stops_the_task_before_anything_is_sent(deployment, clears, keyed_sandbox):
    run_id, _ = clears
    deployment.api(record_path(run_id, "edited"), {"value": "nonsense"}, method="PUT")
    clear(deployment, run_id, "edited")
    assert deployment.task_instances("talecraft_clears", run_id)["edited", -1]["state"] == "failed"
    assert charges(keyed_sandbox)[prompt("edited")] == 1


def test_a_task_that_a_person_stops_says_what_is_on_its_way_and_a_clear_counts_it(deployment, keyed_sandbox):
    script(keyed_sandbox, {"stopped": [{"delay_after_charge": HELD}]})
    run_id = deployment.trigger("talecraft_stopped")
    wait_on_its_way(deployment, keyed_sandbox, "stopped")
    path = f"/dags/talecraft_stopped/dagRuns/{quote(run_id)}/taskInstances/stopped"
    deployment.api(path, {"new_state": "failed"}, method="PATCH")
    deployment.until(
        lambda: "Killed. A request on its way may have been charged" in deployment.logs("talecraft_stopped"),
        "on_kill said nothing",
    )  # fmt: skip
    assert clear(deployment, run_id, "stopped", dag_id="talecraft_stopped") == "success"
    record = deployment.api(f"{path}/state-store/talecraft")["value"]
    assert (record["state"], record["replays"]) == ("delivered", 1)
    assert charges(keyed_sandbox)[prompt("stopped")] == 2


def test_a_scheduler_that_dies_with_its_workers_does_not_pay_more_than_one_replay(deployment, keyed_sandbox):
    script(keyed_sandbox, {"restarted": [{"delay_after_charge": HELD}]})
    run_id = deployment.trigger("talecraft_restart")
    wait_on_its_way(deployment, keyed_sandbox, "restarted")
    task_pid = deployment.task_instances("talecraft_restart", run_id)["restarted", -1]["pid"]
    deployment.stop("scheduler", number=signal.SIGKILL)
    os.kill(task_pid, signal.SIGKILL)
    deployment.start("scheduler")
    assert deployment.wait("talecraft_restart", run_id) == "success"
    assert charges(keyed_sandbox)[prompt("restarted")] == 2

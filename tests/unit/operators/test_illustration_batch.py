"""Many illustrations in one task, over the sandbox; the pace is in test_limiter.py, the input in test_prompts.py."""

from __future__ import annotations

import json
import re
import threading
import time
import tracemalloc
from collections import Counter
from contextlib import suppress

import pytest
from airflow.providers.common.compat.sdk import (
    DAG,
    AirflowException,
    AirflowFailException,
    Asset,
    AssetAlias,
    ObjectStoragePath,
)
from asset_events import Events
from patience import HELD, STUCK
from state_store import Store, TaskInstance

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.models import Illustration
from airflow_provider_talecraft.batch import limiter, progress, records
from airflow_provider_talecraft.batch import run as batch_module
from airflow_provider_talecraft.batch.manifest import Output
from airflow_provider_talecraft.batch.prompts import Items
from airflow_provider_talecraft.hooks import talecraft
from airflow_provider_talecraft.operators import generate_illustration_batch as illustration_batch
from airflow_provider_talecraft.operators.illustration import DEFAULT_POLICY, GenerateIllustrationBatchOperator
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.sandbox import Sandbox
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY

pytestmark = pytest.mark.usefixtures("connected")

FAST = {"max_concurrency": 3, "requests_per_minute": 60_000}
PAGES = [f"Page {letter}." for letter in "abcdef"]


@pytest.fixture
def store():
    return Store()


def task(prompts=PAGES, **kwargs):
    return GenerateIllustrationBatchOperator(task_id="t", prompts=prompts, **{**FAST, **kwargs})


def execute(store, prompts=PAGES, *, try_number=1, max_tries=3, run_id="r", **kwargs):
    ti = TaskInstance(try_number, max_tries, run_id)
    # Below Airflow 3.3 a policy is not asked: only "stop" differs, and that has tests of its own.
    return task(prompts, **kwargs).execute({"ti": ti, "task_state_store": store})


def execute_templated(store, prompts, **kwargs):
    """As execute, with *prompts* in place of a template, as Airflow puts what it rendered."""
    one = task("{{ prompts }}", **kwargs)
    one.prompts = prompts
    return one.execute({"ti": TaskInstance(), "task_state_store": store})


def stopped(error):
    """Return what is raised in place of *error* where the policy would stop at it."""
    return error if HAS_RETRY_POLICY else AirflowFailException


def charges(sandbox):
    return Counter(charge["prompt"] for charge in sandbox.ledger()["charges"])


# Output


def test_the_output_is_in_the_order_of_the_prompts_whatever_the_order_of_the_answers(connected, store):
    connected.fault(prompt="Page a.", delay_after_charge=0.3)
    result = execute(store, [*PAGES[:2], {"prompt": "Page c.", "key": "c", "aspect_ratio": "3:2"}])
    ids = {charge["prompt"]: charge["id"] for charge in connected.ledger()["charges"]}
    urls = {charge["prompt"]: charge["image_url"] for charge in connected.ledger()["charges"]}
    common = {"status": "success", "style": "children_book", "aspect_ratio": "1:1"}
    assert result == [
        {"index": 0, "key": "0", **common, "prompt": "Page a.", "id": ids["Page a."], "image_url": urls["Page a."]},
        {"index": 1, "key": "1", **common, "prompt": "Page b.", "id": ids["Page b."], "image_url": urls["Page b."]},
        {"index": 2, "key": "c", **common, "prompt": "Page c.", "id": ids["Page c."], "image_url": urls["Page c."],
         "aspect_ratio": "3:2"},
    ]  # fmt: skip
    assert json.loads(json.dumps(result)) == result


def test_no_more_requests_are_on_their_way_than_allowed(connected, store):
    connected.fault(times=None, delay_before_charge=0.05)
    most, over = 0, threading.Event()

    def watch():
        nonlocal most
        while not over.wait(0.005):
            most = max(most, sum(r["outcome"] == "in progress" for r in connected.ledger()["requests"]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    execute(store, [f"{n}" for n in range(20)], max_concurrency=4)
    over.set()
    watcher.join()
    assert 0 < most <= 4


def test_a_few_results_with_a_manifest_path_go_to_both(store, tmp_path):
    result = execute(store, manifest_path=f"file://{tmp_path}/book.jsonl")
    assert [json.loads(line) for line in (tmp_path / "book.jsonl").read_text().splitlines()] == result


def test_more_results_than_the_threshold_go_to_the_manifest_and_a_summary_to_xcom(connected, store, tmp_path):
    connected.fault(prompt="Page c.", message="Generation failed")
    path = f"file://{tmp_path}/book.jsonl"
    assert execute(store, manifest_path=path, manifest_threshold=5, on_partial_failure="keep") == {
        "manifest_path": path, "count": 6, "delivered": 5, "failed": 1, "replayed": 0,
        "credits": 10, "credits_this_try": 10, "credits_unknown": 0,
    }  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "book.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(6))
    assert [line["index"] for line in lines if "error" in line] == [2]


def test_at_the_threshold_the_list_is_returned(store, tmp_path):
    assert len(execute(store, manifest_threshold=6)) == 6


def test_more_results_than_the_threshold_and_no_manifest_path_is_found_before_anything_is_sent(connected, store):
    with pytest.raises(stopped(errors.TaleCraftInvalidRequestError), match=r"nothing was sent\. Set manifest_path"):
        execute(store, manifest_threshold=5)
    assert not connected.ledger()["requests"]


def test_the_manifest_is_written_as_it_goes(connected, store, tmp_path, monkeypatch):
    monkeypatch.setattr(illustration_batch, "MANIFEST_INTERVAL", 0.0)
    connected.fault(prompt="Page f.", delay_before_charge=1.0)
    path, seen, over = tmp_path / "book.jsonl", set(), threading.Event()

    def watch():
        while not over.wait(0.01):
            if path.exists():
                seen.add(len([json.loads(line) for line in path.read_text().splitlines()]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    execute(store, manifest_path=f"file://{path}")
    over.set()
    watcher.join()
    assert 5 in seen


def test_a_manifest_that_cannot_be_written_meanwhile_does_not_stop_the_batch(connected, store, tmp_path, monkeypatch):
    monkeypatch.setattr(illustration_batch, "MANIFEST_INTERVAL", 0.0)
    connected.fault(prompt="Page f.", delay_before_charge=1.0)
    write, failed = illustration_batch.Manifest.write, []

    def fail_at_first(manifest, output):
        if not failed:
            failed.append(True)
            raise OSError("the store is away")
        write(manifest, output)

    monkeypatch.setattr(illustration_batch.Manifest, "write", fail_at_first)
    assert len(execute(store, manifest_path=f"file://{tmp_path}/book.jsonl")) == 6
    assert failed
    assert len((tmp_path / "book.jsonl").read_text().splitlines()) == 6


def test_a_place_for_the_manifest_that_cannot_be_written_is_found_before_anything_is_sent(connected, store, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        execute(store, manifest_path=f"file://{tmp_path}/file/book.jsonl")
    assert not connected.ledger()["requests"]


# Wrong input


@pytest.mark.parametrize(
    "prompts", ["A fox", [], ["A", ""], [{"prompt": "A", "key": "x"}, {"prompt": "B", "key": "x"}]]
)
def test_a_wrong_list_is_found_before_anything_is_sent_or_written(connected, store, prompts):
    with pytest.raises(stopped(errors.TaleCraftInvalidRequestError), match="nothing was sent"):
        execute_templated(store, prompts)
    assert not connected.ledger()["requests"]
    assert not store.values


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"max_concurrency": 0}, "max_concurrency must be a whole number of at least 1, not 0"),
        ({"max_concurrency": 1.5}, "max_concurrency must be"),
        ({"max_concurrency": True}, "max_concurrency must be"),
        ({"requests_per_minute": -1}, "requests_per_minute must be a whole number of at least 1, not -1"),
        ({"requests_per_minute": "10"}, "requests_per_minute must be"),
        ({"on_partial_failure": "x"}, "on_partial_failure must be one of fail, keep, not 'x'"),
        ({"manifest_threshold": -1}, "manifest_threshold must be a whole number of at least 0, not -1"),
        ({"max_replays": -1}, "max_replays must be a whole number of at least 0, not -1"),
        ({"on_clear": "x"}, "on_clear must be one of regenerate, reuse, not 'x'"),
        ({"prompts": "A fox"}, "prompts must be a list"),
        ({"prompts": {"A fox", "An owl"}}, "prompts must be a list of prompts, not one set"),
        ({"prompts": []}, "prompts is empty"),
        ({"prompts": ["A", ""]}, r"prompts\[1\]: prompt is blank"),
        ({"prompts": ["A", {"prompt": "{{ ds }}", "aspect_ratio": "5:4"}]}, "'5:4' is not supported"),
        ({"aspect_ratio": "5:4"}, "'5:4' is not supported"),
        ({"style": 7}, "style must be a string, not int"),
    ],
)
def test_a_wrong_parameter_is_refused_when_the_dag_is_parsed(kwargs, says):
    with pytest.raises(ValueError, match=says):
        task(**kwargs)


def test_the_templated_fields_are_the_documented_ones():
    assert set(GenerateIllustrationBatchOperator.template_fields) == {
        "prompts", "style", "aspect_ratio", "talecraft_conn_id", "manifest_path", "manifest_conn_id",
        "dst", "dst_conn_id", "image_hosts",
    }  # fmt: skip


def test_prompts_are_templated_inside_mappings_and_may_be_files(tmp_path):
    (tmp_path / "fox.prompt").write_text("A fox on {{ ds }}")
    with DAG("d", schedule=None, template_searchpath=str(tmp_path)):
        one = task(["fox.prompt", {"prompt": "An owl on {{ ds }}", "key": "owl-{{ ds }}"}, {"prompt": "fox.prompt"}])
    one.resolve_template_files()
    one.render_template_fields({"ds": "2026-01-02"})
    assert one.prompts == [
        "A fox on 2026-01-02",
        {"prompt": "An owl on 2026-01-02", "key": "owl-2026-01-02"},
        {"prompt": "A fox on 2026-01-02"},
    ]


def test_prompts_may_be_another_tasks_output():
    with DAG("d", schedule=None) as dag:
        upstream = GenerateIllustrationBatchOperator(task_id="upstream", prompts=PAGES)
        task(upstream.output)
    assert dag.get_task("t").upstream_task_ids == {"upstream"}


@pytest.mark.parametrize("policy", [None, TaleCraftRetryPolicy(max_replays=5)])
@pytest.mark.skipif(not HAS_RETRY_POLICY, reason="retry policies came with Airflow 3.3")
def test_the_policy_and_the_retries_are_named_defaults_that_a_dag_may_replace(policy):
    with DAG("d", schedule=None, default_args={"retry_policy": policy, "retries": 7}):
        replaced = task()
    assert (replaced.retry_policy, replaced.retries) == (policy, 7)
    with DAG("d", schedule=None):
        default = task()
    assert (default.retry_policy, default.retries) == (DEFAULT_POLICY, 3)


NONE = {"max_concurrency": None, "requests_per_minute": None}


@pytest.mark.parametrize(
    "limits",
    [
        ({}, NONE, "2 at a time, 10 a minute"),
        ({"max_concurrency": 4, "requests_per_minute": "6000"}, NONE, "4 at a time, 6000 a minute"),
        ({"max_concurrency": 4, "requests_per_minute": 10}, FAST, "3 at a time, 60000 a minute"),
    ],
)
def test_the_limits_are_the_operators_else_the_connections_else_the_documented_ones(connected, connect, caplog, limits):
    extra, kwargs, expected = limits
    connect(host=connected.url, password=connected.api_key, extra=extra)
    with caplog.at_level("INFO"):
        execute(Store(), ["A fox"], **kwargs)
    assert expected in caplog.text


# Money


def test_another_try_returns_what_the_first_delivered_and_sends_nothing(connected, store):
    first = execute(store)
    assert execute(store, try_number=2) == first
    assert len(connected.ledger()["requests"]) == len(PAGES)


def test_another_try_draws_only_what_is_missing(connected, store):
    connected.fault(prompt="Page c.", message="Generation failed")
    with pytest.raises(errors.TaleCraftGenerationFailedError):
        execute(store)
    assert [entry["prompt"] for entry in execute(store, try_number=2)] == PAGES
    assert set(charges(connected).values()) == {1}


def test_a_request_that_a_killed_worker_left_behind_is_replayed_and_counted(connected, store, caplog):
    execute(store)
    store.edit("2", state="sent", result=None, unanswered=["2026-01-02T03:04:05+00:00"])
    with caplog.at_level("INFO"):
        execute(store, try_number=2)
    assert charges(connected) == {**dict.fromkeys(PAGES, 1), "Page c.": 2}
    assert "6 of 6 delivered (5 earlier), 1 replayed; 2 to 4 credits now." in caplog.text
    assert store.entries()["2"]["replays"] == 1


def test_a_lost_answer_is_replayed_in_the_next_try_and_not_in_the_same(connected, store):
    connected.fault(prompt="Page c.", drop="after_charge")
    with pytest.raises(errors.TaleCraftOutcomeUnknownError, match="may have been charged") as caught:
        execute(store)
    assert caught.value.replays_left == 1
    assert len(connected.ledger()["requests"]) == 6
    execute(store, try_number=2)
    assert charges(connected)["Page c."] == 2


def test_when_no_replay_is_left_the_policy_stops(connected, store):
    connected.fault(prompt="Page c.", drop="after_charge")
    with pytest.raises(stopped(errors.TaleCraftOutcomeUnknownError), match="It is not sent again"):
        execute(store, max_replays=0)
    with pytest.raises(
        stopped(errors.TaleCraftOutcomeUnknownError), match=r"the entry '2' in the key 'talecraft-page-1'"
    ):
        execute(store, try_number=2, max_replays=0)
    assert charges(connected) == dict.fromkeys(PAGES, 1)


def test_many_requests_that_are_given_up_do_not_stop_the_rest(connected, store):
    lost = [f"Lost {n}." for n in range(batch_module.MOST_IN_A_ROW + 2)]
    execute(store, lost)
    for name in store.entries():
        store.edit(name, state="sent", result=None, unanswered=["2026-01-02T03:04:05+00:00"])
    with pytest.raises(stopped(errors.TaleCraftOutcomeUnknownError), match="12 of 14 illustrations failed"):
        execute(store, [*lost, "New 1.", "New 2."], try_number=2, max_replays=0, max_concurrency=1)
    assert charges(connected) == {**dict.fromkeys(lost, 1), "New 1.": 1, "New 2.": 1}


def test_a_clear_of_a_batch_that_was_not_complete_goes_on_with_what_is_missing(connected, store):
    connected.set_credits(6)
    with pytest.raises(stopped(errors.TaleCraftInsufficientCreditsError)):
        execute(store)
    connected.set_credits(1000)
    execute(store, try_number=2, max_tries=4)
    assert charges(connected) == dict.fromkeys(PAGES, 1)


def test_a_clear_of_a_batch_that_was_kept_with_failures_asks_only_for_those(connected, store):
    connected.fault(prompt="Page c.", message="Generation failed")
    execute(store, on_partial_failure="keep")
    result = execute(store, try_number=2, max_tries=4, on_partial_failure="keep")
    assert all("image_url" in entry for entry in result)
    assert charges(connected) == dict.fromkeys(PAGES, 1)


@pytest.mark.parametrize(("on_clear", "expected"), [("regenerate", 2), ("reuse", 1)])
def test_a_clear_of_a_complete_batch_draws_again_or_reuses(connected, store, on_clear, expected):
    execute(store)
    execute(store, try_number=2, max_tries=4, on_clear=on_clear)
    assert charges(connected) == dict.fromkeys(PAGES, expected)
    execute(store, try_number=3, max_tries=4, on_clear=on_clear)
    assert charges(connected) == dict.fromkeys(PAGES, expected)


def test_an_edition_that_was_begun_by_a_clear_is_finished_by_the_next(connected, store):
    execute(store)
    connected.set_credits(6)
    with pytest.raises(stopped(errors.TaleCraftInsufficientCreditsError)):
        execute(store, try_number=2, max_tries=4)
    connected.set_credits(1000)
    execute(store, try_number=3, max_tries=5)
    assert charges(connected) == dict.fromkeys(PAGES, 2)


def test_an_illustration_with_a_key_is_the_same_one_wherever_it_stands(connected, store):
    pages = [{"prompt": prompt, "key": prompt} for prompt in PAGES]
    execute(store, pages)
    result = execute(store, [{"prompt": "Cover.", "key": "cover"}, *reversed(pages)], try_number=2)
    assert charges(connected) == {**dict.fromkeys(PAGES, 1), "Cover.": 1}
    assert [entry["key"] for entry in result] == ["cover", *reversed(PAGES)]


def test_another_prompt_under_the_same_key_is_drawn(connected, store):
    execute(store)
    execute(store, [*PAGES[:-1], "Page x."], try_number=2)
    assert charges(connected) == {**dict.fromkeys(PAGES, 1), "Page x.": 1}


def test_a_record_that_cannot_be_read_costs_its_own_illustration_and_no_other(connected, store):
    store.set("talecraft-page-1", {"illustrations": {"2": "nonsense"}})
    result = execute(store, on_partial_failure="keep")
    assert "the entry '2' in the key 'talecraft-page-1' under Storage > Task State Store" in result[2]["error"]
    assert charges(connected)["Page c."] == 0
    assert len(connected.ledger()["charges"]) == 5
    with pytest.raises(AirflowFailException, match=r"prompts\[2\].*cannot be read"):
        execute(store, try_number=2)


@pytest.mark.parametrize("key", ["talecraft", "talecraft-page-1"])
@pytest.mark.parametrize("value", ["nonsense", {}, {"illustrations": []}, {"since_max_tries": True}])
def test_a_record_of_the_batch_that_cannot_be_read_stops_it_before_anything_is_sent(connected, store, key, value):
    store.set(key, value)
    with pytest.raises(AirflowFailException, match=f"'{key}' under Storage"):
        execute(store)
    assert not connected.ledger()["requests"]


def test_when_records_cannot_be_written_nothing_is_sent(connected, store):
    execute(store, ["A fox"])
    store.broken = True
    with pytest.raises(ConnectionError, match="the API server is gone"):
        execute(store)
    assert len(connected.ledger()["requests"]) == 1


def test_records_are_small_and_many_share_a_value(store):
    execute(
        store, ["A fox " * 1000, {"prompt": "An owl", "key": "狐狸"}, *map(str, range(2, 150))], manifest_threshold=150
    )
    assert set(store.values) == {"talecraft", "talecraft-page-1", "talecraft-page-2", "talecraft-page-3"}
    assert set(store.entries()) == {"0", "狐狸", *map(str, range(2, 150))}
    assert max(map(len, store.values.values())) < 64_000
    assert max(len(json.dumps(entry)) for entry in store.entries().values()) < 1000


def test_a_retry_reads_a_value_for_many_and_a_picture_takes_two_writes(connected, store):
    pages = [f"Page {number}." for number in range(200)]
    execute(store, pages, manifest_threshold=200)
    assert store.writes <= 2 * 200 + 2
    reads = store.reads
    execute(store, pages, try_number=2, manifest_threshold=200)
    assert store.reads - reads <= 200 / 50 + 2


def test_when_the_store_was_emptied_between_two_tries_what_is_paid_again_is_said(connected, store, caplog):
    execute(store)
    store.values.clear()
    execute(store, try_number=2)
    assert charges(connected) == dict.fromkeys(PAGES, 2)
    assert "No record of an earlier try was found: what it drew is drawn, and paid for, again." in caplog.text


def test_what_has_been_given_up_takes_no_turn(connected, store):
    execute(store)
    for name in store.entries():
        store.edit(name, state="sent", result=None, unanswered=["2026-01-02T03:04:05+00:00"])
    began = time.monotonic()
    with pytest.raises(stopped(errors.TaleCraftOutcomeUnknownError), match="6 of 6 illustrations failed"):
        execute(store, try_number=2, max_replays=0, requests_per_minute=1)
    assert time.monotonic() - began < STUCK, "six turns at this pace take five minutes"


def test_after_a_clear_another_prompt_in_the_place_of_one_that_was_given_up_is_drawn(connected, store):
    connected.fault(prompt="Page c.", drop="after_charge")
    with pytest.raises(stopped(errors.TaleCraftOutcomeUnknownError)):
        execute(store, max_replays=0)
    edited = ["Page new." if page == "Page c." else page for page in PAGES]
    execute(store, edited, try_number=2, max_tries=7, max_replays=0)
    assert charges(connected) == {**dict.fromkeys(PAGES, 1), "Page new.": 1}


# Failures


def test_all_others_are_done_before_a_failure_fails_the_task_and_is_named(connected, store):
    connected.fault(prompt="Page a.", message="Generation failed: too many foxes")
    with pytest.raises(
        errors.TaleCraftGenerationFailedError,
        match=r"1 of 6 illustrations failed.*prompts\[0\]: TaleCraftGenerationFailedError: .*too many foxes",
    ):
        execute(store)
    assert len(connected.ledger()["charges"]) == 5


def test_keep_returns_the_failed_ones_as_errors(connected, store):
    connected.faults([
        {"prompt": "Page a.", "message": "Generation failed"},
        {"prompt": "Page b.", "drop": "after_charge"},
    ])  # fmt: skip
    result = execute(store, on_partial_failure="keep")
    assert set(result[0]) == {"index", "key", "error", "prompt", "style", "aspect_ratio"}
    assert result[0]["error"].startswith("TaleCraftGenerationFailedError: TaleCraft answered 'Generation failed'")
    assert "may have been charged" in result[1]["error"]
    assert all("image_url" in entry for entry in result[2:])


@pytest.mark.parametrize("on_partial_failure", ["fail", "keep"])
@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("Invalid API key", errors.TaleCraftAuthenticationError),
        ("insufficient credits", errors.TaleCraftInsufficientCreditsError),
    ],
)
def test_a_refusal_that_everybody_would_meet_stops_everybody_and_keeps_what_is_finished(
    connected, store, on_partial_failure, message, error
):
    connected.faults([
        {"prompt": "Page a.", "delay_after_charge": 0.5},
        {"prompt": "Page c.", "message": message},
    ])  # fmt: skip
    prompts = [*PAGES, *(f"Later {n}." for n in range(50))]
    with pytest.raises(stopped(error), match=message) as caught:
        execute(store, prompts, max_concurrency=2, on_partial_failure=on_partial_failure)
    asked = len(connected.ledger()["requests"])
    assert asked <= 5
    assert charges(connected)["Page a."] == 1
    assert store.entries()["0"]["state"] == "delivered"
    assert f"{len(connected.ledger()['charges'])} of 56 delivered" in str(caught.value)
    execute(store, prompts, try_number=2, max_concurrency=2)
    assert set(charges(connected).values()) == {1}


def test_a_policy_that_waits_for_credits_gets_its_error(connected, store):
    connected.set_credits(4)
    error = stopped(errors.TaleCraftInsufficientCreditsError)
    with pytest.raises(error) as caught:
        execute(store)
    if HAS_RETRY_POLICY:
        assert TaleCraftRetryPolicy().evaluate(caught.value, 1, 3).action.value == "fail"


@pytest.mark.parametrize("fault", [{"status": 521}, {"status": 502}], ids=["unavailable", "unknown"])
def test_an_outage_stops_everybody_before_all_are_lost(connected, store, fault):
    connected.fault(times=None, **fault)
    with pytest.raises(errors.TaleCraftError, match="So far: 0 of 100 delivered"):
        execute(store, [f"{n}" for n in range(100)], max_concurrency=2)
    assert batch_module.MOST_IN_A_ROW <= len(connected.ledger()["requests"]) <= batch_module.MOST_IN_A_ROW + 2


def test_bad_luck_that_a_delivered_picture_interrupts_is_no_outage(connected, store):
    several = [f"{kind} {n}." for n in range(3) for kind in (*["Bad"] * (batch_module.MOST_IN_A_ROW - 1), "Good")]
    connected.fault(prompt="Bad", status=521, times=None)
    result = execute(store, several, max_concurrency=1, on_partial_failure="keep")
    assert ["image_url" in entry for entry in result] == [prompt.startswith("Good") for prompt in several]


@pytest.mark.parametrize("status", [429, 503])
def test_a_slow_down_moves_the_whole_batch_back_and_the_item_is_asked_again_in_the_same_try(connected, store, status):
    connected.fault(prompt="Page b.", status=status, retry_after="2")
    assert len(execute(store, [*PAGES, *"ghijklmnop"])) == 16
    requests = connected.ledger()["requests"]
    slowed = next(r["time"] for r in requests if r["outcome"] == "faulted")
    assert not [r for r in requests if slowed + 0.1 < r["time"] < slowed + 1.9]
    assert len(requests) == 17
    assert set(charges(connected).values()) == {1}


def test_a_slow_down_that_does_not_pass_is_left_to_the_policy(connected, store):
    connected.fault(status=429, retry_after="0", times=None)
    with pytest.raises(errors.TaleCraftRateLimitError) as caught:
        execute(store)
    assert caught.value.retry_after == 0
    assert len(connected.ledger()["requests"]) <= 3 * (limiter.MOST_SLOW_DOWNS + 1)
    assert {record.get("state", "batch") for record in store.read().values()} <= {"refused", "batch"}


@pytest.mark.parametrize(
    ("status", "error"), [(429, errors.TaleCraftRateLimitError), (503, errors.TaleCraftUnavailableError)]
)
def test_a_long_retry_after_is_not_waited_for_in_the_task_and_nobody_else_asks(connected, store, status, error):
    connected.fault(status=status, retry_after="3600", times=None)
    with pytest.raises(error) as caught:
        execute(store, [f"Page {n}." for n in range(20)], max_concurrency=2)
    assert caught.value.retry_after == 3600
    assert len(connected.ledger()["requests"]) <= 3


def test_a_service_that_is_away_for_a_moment_is_reached_in_the_same_try(connect, store):
    late = Sandbox()
    with late:
        connect(host=late.url, password=late.api_key)
        port = late.port
    late = Sandbox(port=port)
    threading.Timer(0.5, late.__enter__).start()
    try:
        assert len(execute(store)) == len(PAGES)
    finally:
        late.__exit__(None, None, None)
    assert charges(late) == dict.fromkeys(PAGES, 1)
    assert not [record for record in store.read().values() if record.get("unanswered") or record.get("replays")]


def test_a_service_that_stays_away_costs_nothing(connect, store, monkeypatch):
    monkeypatch.setattr(talecraft, "RETRY_FOR", 0.0)
    connect(host="http://127.0.0.1:9", password="key", extra={"connect_timeout": 1})
    with pytest.raises(errors.TaleCraftUnavailableError, match="nothing was charged"):
        execute(store, ["A fox"])
    assert store.entries()["0"]["state"] == "refused"


# Being stopped


class Timeout(BaseException):
    """What Airflow raises in the main thread when a task takes too long."""


def interrupt(one, store, error):
    """Run *one*; raise *error*, or call it, in the main thread as soon as a request is on its way."""
    wait = threading.Event.wait

    def wait_or_raise(event, timeout=None):
        if threading.current_thread() is threading.main_thread() and one._batch and one._batch.in_flight:
            if isinstance(error, BaseException):
                raise error
            error()
        return wait(event, timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Event, "wait", wait_or_raise)
        return one.execute({"ti": TaskInstance(), "task_state_store": store})


def test_a_timeout_ends_the_task_at_once_starts_nothing_more_and_leaves_the_record_open(connected, store):
    connected.fault(times=None, delay_after_charge=HELD)
    one = task([f"{n}" for n in range(20)], max_concurrency=2)
    started = time.monotonic()
    with pytest.raises(Timeout):
        interrupt(one, store, Timeout())
    assert time.monotonic() - started < STUCK, "it waits for an answer"
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("talecraft-"))
    states = Counter(record["state"] for record in store.entries().values())
    assert 1 <= states["sent"] <= 2
    assert states["delivered"] == 0
    time.sleep(1.5)
    assert len(connected.ledger()["requests"]) <= 2


def test_on_kill_starts_nothing_more_says_what_is_on_its_way_and_keeps_what_still_comes(connected, store, caplog):
    connected.fault(times=None, delay_after_charge=0.5)
    one = task([{"prompt": f"{n}", "key": f"page-{n}"} for n in range(20)], max_concurrency=2)
    with pytest.raises(AirflowException, match="The task was told to stop"):
        interrupt(one, store, one.on_kill)
    asked = [request["prompt"] for request in connected.ledger()["requests"]]
    assert 1 <= len(asked) <= 2
    assert f"('page-{asked[0]}')" in caplog.text
    assert "Each may have been charged" in caplog.text
    states = Counter(record["state"] for record in store.entries().values())
    assert states["delivered"] == len(asked)
    assert states["sent"] == 0


def test_a_task_that_is_killed_before_it_began_has_nothing_to_say(caplog):
    task().on_kill()
    assert not caplog.text


# Airflow without a state store


def test_without_a_store_the_records_are_beside_the_manifest(connected, tmp_path):
    path = f"file://{tmp_path}/book.jsonl"
    connected.fault(prompt="Page c.", drop="after_charge")
    with pytest.raises(errors.TaleCraftOutcomeUnknownError) as caught:
        execute(None, manifest_path=path)
    assert caught.value.replays_left == 1
    result = execute(None, manifest_path=path, try_number=2)
    assert len(result) == 6
    assert charges(connected) == {**dict.fromkeys(PAGES, 1), "Page c.": 2}
    assert execute(None, manifest_path=path, try_number=3) == result


def test_another_run_does_not_take_the_records_of_the_first(connected, tmp_path):
    path = f"file://{tmp_path}/book.jsonl"
    execute(None, manifest_path=path)
    execute(None, manifest_path=path, run_id="another")
    assert charges(connected) == dict.fromkeys(PAGES, 2)


def test_a_person_is_told_which_file_holds_the_record(connected, tmp_path):
    connected.fault(prompt="Page c.", drop="after_charge")
    with pytest.raises(
        stopped(errors.TaleCraftOutcomeUnknownError),
        match=r"delete the entry '2' in the file file://.*talecraft-page-1\.json",
    ):
        execute(None, manifest_path=f"file://{tmp_path}/book.jsonl", max_replays=0)


@pytest.mark.parametrize(("try_number", "max_replays", "left"), [(1, 0, 0), (1, 1, 1), (2, 1, 0), (2, 3, 2)])
def test_without_any_record_every_earlier_try_counts_as_a_replay_and_a_warning_is_logged(
    connected, caplog, try_number, max_replays, left
):
    connected.fault(prompt="Page c.", drop="after_charge")
    error = errors.TaleCraftOutcomeUnknownError
    with pytest.raises(error if left else stopped(error)) as caught:
        execute(None, try_number=try_number, max_replays=max_replays)
    if isinstance(caught.value, error):
        assert caught.value.replays_left == left
    assert "another try draws, and pays for, everything again" in caplog.text


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"message": "Invalid API key"}, AirflowFailException),
        ({"message": "Unsupported style"}, AirflowFailException),
        ({"message": "Generation failed"}, errors.TaleCraftGenerationFailedError),
        ({"status": 521}, errors.TaleCraftUnavailableError),
    ],
)
def test_without_a_policy_the_operator_stops_itself_where_a_retry_would_not_help(connected, store, fault, error):
    connected.fault(prompt="Page c.", **fault)
    with pytest.raises(error):
        execute(store, retry_policy=None)


# Progress and size


def test_progress_is_told_every_few_seconds_with_the_time_to_go(connected, store, caplog, monkeypatch):
    monkeypatch.setattr(progress, "PROGRESS_INTERVAL", 0.2)
    connected.fault(times=None, delay_before_charge=0.3)
    with caplog.at_level("INFO"):
        execute(store, max_concurrency=1)
    lines = [record.message for record in caplog.records if "to go" in record.message]
    assert len(lines) >= 3
    assert re.fullmatch(r"\d of 6 delivered, \d left; \d+ credits now; 0:00:0\d to go\.", lines[0])
    assert "6 of 6 delivered; 12 credits now." in caplog.text


def test_a_line_of_progress_is_no_wider_than_airflows_log_page():
    tally = progress.Tally(1000, drawn=300, paid=300, kept=400, failed=20, replayed=10, unanswered=10)
    now = 0.0
    line = progress.Progress(tally, 6.0, lambda: now)
    assert len(f"{tally}; {line.time_left(now)} to go.") <= 110


def test_a_failed_item_is_told_in_lines_no_wider_than_airflows_log_page(connected, store, caplog):
    connected.fault(prompt="Page c.", message="Generation failed: " + "too many words " * 20)
    execute(store, on_partial_failure="keep")
    told = [
        record.message
        for record in caplog.records
        if record.levelname == "WARNING" and record.name.startswith("airflow_provider_talecraft.")
    ]
    assert told[0].startswith("prompts[2]: TaleCraftGenerationFailedError")
    assert all(len(line) <= 90 for line in told)


def test_a_batch_that_fails_says_in_its_report_what_became_of_each(connected, store):
    connected.fault(prompt="Page c.", message="Generation failed")
    ti = TaskInstance()
    with pytest.raises(errors.TaleCraftGenerationFailedError):
        task().execute({"ti": ti, "task_state_store": store})
    report = ti.pushed["talecraft_report"]
    assert (report["state"], report["delivered"], report["failed"], report["left"]) == ("failed", 5, 1, 0)
    assert report["error"] == "TaleCraftGenerationFailedError"
    assert "1 of 6 illustrations failed" in report["lines"][0]
    assert [entry["prompt"] for entry in report["entries"]] == PAGES
    assert "Generation failed" in report["entries"][2]["error"]


def test_a_batch_reports_what_this_try_was_charged_what_earlier_ones_were_and_leaves_others_to_theirs(
    connected, store, tmp_path
):
    def report(**kwargs):
        ti = TaskInstance()
        ti.run_id = kwargs.pop("run_id", "r")
        with suppress(errors.TaleCraftError, AirflowFailException):
            task(**kwargs).execute({"ti": ti, "task_state_store": store, "outlet_events": {}})
        told = ti.pushed["talecraft_report"]
        return told["credits"], told["credits_earlier"], told["of_others"]

    connected.fault(prompt="Page c.", message="Generation failed")
    assert report() == (10, 0, 0)
    assert report() == (2, 10, 0)
    dst = f"file://{tmp_path}/"
    assert report(prompts=PAGES[:2], dst=dst, run_id="yesterday") == (4, 0, 0)
    assert report(dst=dst) == (8, 0, 2)
    for prompt, run_id, fetched in (("A fox", "r", (0, 2, 0)), ("An owl", "another", (0, 0, 1))):
        assert report(prompts=[prompt], dst=dst, max_bytes=10) == (2, 0, 0), "paid for, and not stored"
        assert report(prompts=[prompt], dst=dst, run_id=run_id) == fetched
    assert len(connected.ledger()["charges"]) == 6 + 6 + 2


def test_a_batch_reports_how_far_it_is_while_it_runs_and_what_is_on_its_way(connected, store, monkeypatch):
    monkeypatch.setattr(progress, "PROGRESS_INTERVAL", 0.05)
    connected.fault(times=None, delay_before_charge=0.2)
    told = []

    class Listening(TaskInstance):
        def xcom_push(self, key, value):
            told.append(json.loads(json.dumps(value)))

    task(max_concurrency=2).execute({"ti": Listening(), "task_state_store": store})
    assert (told[0]["state"], told[0]["left"], told[0]["on_their_way"]) == ("asking", 6, [])
    assert any(0 < report["left"] < 6 and report["on_their_way"] for report in told)
    assert all(report["delivered"] + report["failed"] + report["left"] == 6 for report in told)
    assert (told[-1]["state"], told[-1]["delivered"], told[-1]["credits"]) == ("drawn", 6, 12)
    assert told[-1]["entries"] is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"prompts": "A fox"}, "prompts must be a list"),
        ({"prompts": [{"prompt": "A fox", "aspect_ratio": "5:4"}]}, "'5:4' is not supported"),
        ({"aspect_ratio": "5:4"}, "'5:4' is not supported"),
    ],
)
def test_a_wrong_literal_of_a_mapped_batch_is_refused_when_the_dag_is_parsed(wrong, says):
    (name, value), right = *wrong.items(), {"prompts": PAGES}
    others = {key: [given] for key, given in right.items() if key != name}
    with DAG("d", schedule=None):
        with pytest.raises(ValueError, match=says):
            GenerateIllustrationBatchOperator.partial(task_id="a", **wrong)
        with pytest.raises(ValueError, match=says):
            GenerateIllustrationBatchOperator.partial(task_id="b").expand(**others, **{name: [value]})


def test_a_quiet_batch_tells_so_every_minute():
    now = 0.0
    tally = progress.Tally(10)
    told = []
    line = progress.Progress(tally, 6.0, lambda: now)
    line.time_left = told.append
    for second in range(200):
        now = float(second)
        if second == 100:
            tally.drawn = 1
        line.tell()
    assert told == [60.0, 100.0, 160.0]


def test_a_hundred_times_as_many_illustrations_take_hardly_more_memory():
    def peak(count):
        prompts = [f"Page {number}. " + "long " * 100 for number in range(count)]
        tracemalloc.start()
        try:
            items = Items(prompts, style="children_book", aspect_ratio="1:1")
            with Output(count) as output:
                # Only the answer is made up here: ten thousand real ones take a minute.
                batch_module.Batch(
                    items,
                    send=lambda request, pace: (pace(), Illustration(request.prompt[:10], "success", "https://a/b"))[1],
                    limiter=limiter.Limiter(max_concurrency=4, requests_per_minute=60_000_000),
                    record=records.Records(
                        {"ti": TaskInstance()}, talecraft_conn_id="c", max_replays=1, on_clear="reuse", manifest=None
                    ).of,
                    output=output,
                    threads=4,
                ).run(every=60.0, checkpoint=lambda: None, tell=lambda **_: None)
                assert sum(1 for _ in output.lines()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    few, many = peak(20), peak(2_000)
    assert many - few < 600_000


def test_there_are_no_more_threads_than_may_ask(connected, store):
    connected.fault(times=None, delay_before_charge=0.1)
    most = 0

    def look():
        nonlocal most
        names = [thread.name.removeprefix("talecraft-") for thread in threading.enumerate()]
        most = max(most, sum(name.isdigit() for name in names))

    one = task([f"{n}" for n in range(1000)], max_concurrency=4, manifest_threshold=1000)
    with pytest.raises(AirflowException):
        interrupt(one, store, lambda: (look(), one.on_kill()))
    assert 0 < most <= 4


@pytest.fixture
def memory():
    """An object store that is neither local nor far away."""
    import fsspec

    try:
        from airflow.sdk.io import attach
    except ImportError:
        from airflow.io.store import attach
    files = fsspec.filesystem("memory")
    attach("memory", fs=files)
    yield files
    files.store.clear()


@pytest.mark.usefixtures("memory")
def test_the_manifest_may_be_on_any_object_store(store):
    execute(store, manifest_path="memory://shelf/book.jsonl")
    path = ObjectStoragePath("memory://shelf/book.jsonl")
    assert len(path.read_text().splitlines()) == 6


@pytest.mark.usefixtures("memory")
def test_the_records_may_be_on_any_object_store(connected):
    execute(None, manifest_path="memory://shelf/book.jsonl")
    execute(None, manifest_path="memory://shelf/book.jsonl", try_number=2)
    assert len(connected.ledger()["requests"]) == 6


@pytest.mark.parametrize("with_manifest", [True, False])
def test_the_events_of_its_asset_outlets_carry_the_summary(connected, store, tmp_path, with_manifest):
    asset, alias, events = Asset("s3://books/pages"), AssetAlias("books"), Events()
    path = f"file://{tmp_path}/book.jsonl"
    one = task(outlets=[asset, alias], **({"manifest_path": path} if with_manifest else {}))
    one.execute({"ti": TaskInstance(), "task_state_store": store, "outlet_events": events})
    extra = events[asset].extra
    assert (extra["count"], extra["delivered"], extra["credits"]) == (6, 6, 12)
    assert extra.get("manifest_path") == (path if with_manifest else None)
    ((uri, told),) = events[alias].added
    assert (uri.rstrip("/"), told) == (path if with_manifest else connected.url, extra)  # Airflow has its way with "/"


def test_openlineage_is_told_of_the_folder_that_was_drawn_into(connected, store, tmp_path):
    pytest.importorskip("airflow.providers.openlineage", reason="told only where it is installed")
    one = task(["A fox"], dst=f"file://{tmp_path}/")
    one.execute({"ti": TaskInstance(), "task_state_store": store})
    lineage = one.get_openlineage_facets_on_complete(None)
    assert [(data.namespace, data.name) for data in lineage.inputs] == [(connected.url, "/api/v1/generate")]
    assert [(data.namespace, data.name) for data in lineage.outputs] == [("file", str(tmp_path))]

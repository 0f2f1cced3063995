"""What a task tells people's pages, over the sandbox: it is the same everywhere, so one operator tells it all."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from state_store import Store, TaskInstance

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator, IllustrationOperator
from airflow_provider_talecraft.spending.report import KEY, Report

pytestmark = pytest.mark.usefixtures("connected")

ASKED = {"prompt": "A fox", "style": "children_book", "aspect_ratio": "3:2"}


class Listening(TaskInstance):
    """Keeps all that was pushed, as JSON would."""

    def __init__(self, *args):
        super().__init__(*args)
        self.told = []

    def xcom_push(self, key, value):
        super().xcom_push(key, value)
        if key == KEY:
            self.told.append(json.loads(json.dumps(value)))


def run(ti, store=None, operator=GenerateIllustrationOperator, **kwargs):
    one = operator(task_id="t", prompt="A fox", aspect_ratio="3:2", **kwargs)
    return one.execute({"ti": ti, "task_state_store": store or Store(), "outlet_events": {}})


def test_before_the_request_it_is_said_to_be_on_its_way_and_afterwards_what_it_cost():
    ti = Listening()
    run(ti)
    asking, drawn = ti.told
    assert datetime.fromisoformat(asking["since"]).utcoffset() == timedelta(0)
    assert asking == {
        **ASKED, "state": "asking", "since": asking["since"], "replays": 0, "credits": 0,
        "credits_earlier": 0, "credits_unknown": 2,
    }  # fmt: skip
    assert drawn == {**asking, "state": "drawn", "credits": 2, "credits_unknown": 0}


def test_one_that_was_delivered_to_an_earlier_try_is_found():
    store = Store()
    run(Listening(), store)
    ti = Listening(2)
    run(ti, store)
    assert [(report["state"], report["credits"], report["since"]) for report in ti.told] == [("found", 0, None)]


def test_what_an_earlier_try_paid_is_told_apart_and_what_another_run_paid_is_not_told(tmp_path):
    store = Store()
    run(Listening(), store)
    ti = Listening(2)
    run(ti, store)
    assert (ti.told[-1]["credits"], ti.told[-1]["credits_earlier"]) == (0, 2)
    for run_id, expected in (("r", (2, 0)), ("r", (0, 2)), ("another", (0, 0))):
        ti = Listening()
        ti.run_id = run_id
        run(ti, operator=IllustrationOperator, dst=tmp_path.as_uri() + "/")
        assert (ti.told[-1]["credits"], ti.told[-1]["credits_earlier"]) == expected


@pytest.mark.parametrize(("run_id", "earlier"), [("r", 2), ("another", 0)])
def test_one_that_is_only_fetched_now_has_cost_the_try_that_paid_for_it(connected, tmp_path, run_id, earlier):
    options = {"operator": IllustrationOperator, "dst": f"{tmp_path.as_uri()}/"}
    with pytest.raises(errors.TaleCraftDownloadError):
        run(Listening(), max_bytes=10, **options)
    ti = Listening(2)
    ti.run_id = run_id
    run(ti, **options)
    assert (ti.told[-1]["state"], ti.told[-1]["credits"], ti.told[-1]["credits_earlier"]) == ("drawn", 0, earlier)
    assert len(connected.ledger()["charges"]) == 1


def test_a_picture_that_another_run_was_to_replace_is_told_to_have_cost_him_who_paid_for_it(tmp_path):
    options = {"operator": IllustrationOperator, "dst": f"{tmp_path.as_uri()}/", "name": "cover", "redraw": "never"}
    run(Listening(), **options)
    old = json.loads((tmp_path / "cover.json").read_text())
    replaces = {name: value for name, value in old.items() if name not in {"talecraft_receipt", "about"}}
    others = {"run_id": "another", "state": "refused", "fingerprint": "another", "replaces": replaces}
    (tmp_path / "cover.json").write_text(json.dumps({**old, **others}))
    for run_id, expected in (("r", 2), ("another", 0)):
        ti = Listening()
        ti.run_id = run_id
        run(ti, **options)
        assert (ti.told[-1]["state"], ti.told[-1]["credits_earlier"]) == ("found", expected)


def test_one_that_stands_is_found(tmp_path):
    for expected in ("drawn", "found"):
        ti = Listening()
        run(ti, operator=IllustrationOperator, dst=tmp_path.as_uri() + "/")
        assert ti.told[-1]["state"] == expected


def test_the_fallback_that_made_the_picture_is_the_prompt_that_is_told(connected):
    connected.fault(prompt="A fox", message="Generation failed")
    ti = Listening()
    run(ti, fallback_prompts=["An owl"])
    assert [report["prompt"] for report in ti.told] == ["A fox", "An owl", "An owl"]


def test_a_replay_is_counted(connected):
    connected.fault(drop="after_charge")
    store = Store()
    with pytest.raises((errors.TaleCraftOutcomeUnknownError, AirflowFailException)):
        run(Listening(), store)
    ti = Listening(2)
    run(ti, store)
    assert (ti.told[-1]["state"], ti.told[-1]["replays"], ti.told[-1]["credits_unknown"]) == ("drawn", 1, 2)


@pytest.mark.parametrize("policy", [{}, {"retry_policy": None}])
def test_a_failure_says_what_happened_what_may_have_been_charged_and_what_to_do_in_short_lines(connected, policy):
    connected.fault(drop="after_charge")
    ti = Listening()
    with pytest.raises((errors.TaleCraftOutcomeUnknownError, AirflowFailException)):
        run(ti, max_replays=0, **policy)
    report = ti.told[-1]
    assert (report["state"], report["error"], report["credits_unknown"]) == (
        "failed",
        "TaleCraftOutcomeUnknownError",
        2,
    )
    text = " ".join(report["lines"])
    assert "Up to 2 credits may have been charged" in text
    assert "clear the task" in text
    assert all(len(line) <= 90 for line in report["lines"])


def test_a_refusal_costs_nothing_and_a_paid_picture_that_is_not_stored_is_paid_for(connected, tmp_path):
    ti = Listening()
    connected.fault(message="insufficient credits")
    with pytest.raises((errors.TaleCraftInsufficientCreditsError, AirflowFailException)):
        run(ti)
    assert (ti.told[-1]["credits"], ti.told[-1]["credits_unknown"]) == (0, 0)
    ti = Listening()
    with pytest.raises(errors.TaleCraftDownloadError):
        run(ti, operator=IllustrationOperator, dst=tmp_path.as_uri() + "/", max_bytes=10)
    assert (ti.told[-1]["state"], ti.told[-1]["credits"]) == ("failed", 2)


def test_what_is_noted_is_told_with_the_rest_and_without_an_xcom_nothing_is():
    for is_pushed in (True, False):
        ti = Listening()
        report = Report(ti) if is_pushed else Report(ti, is_pushed=False)
        report.note(entries=[1])
        report.tell("asking", prompt="A fox")
        told = {
            "state": "asking", "since": None, "replays": 0, "credits": 0, "credits_earlier": 0, "credits_unknown": 0,
        }  # fmt: skip
        assert ti.told == ([{**told, "entries": [1], "prompt": "A fox"}] if is_pushed else [])


def test_a_report_that_airflow_does_not_take_costs_no_picture(connected, caplog):
    class Deaf(TaskInstance):
        def xcom_push(self, key, value):
            if key == KEY:
                raise ConnectionError("the API server is gone")

    assert run(Deaf())["status"] == "success"
    assert len(connected.ledger()["charges"]) == 1
    assert "Airflow did not take talecraft_report" in caplog.text


def test_no_report_holds_the_key(connected):
    connected.fault(message=f"Generation failed: {connected.api_key} was used")
    ti = Listening()
    with pytest.raises((errors.TaleCraftGenerationFailedError, AirflowFailException)):
        run(ti)
    assert connected.api_key not in json.dumps(ti.told)

"""What a person reads in a failed task's log at first sight."""

from __future__ import annotations

import traceback

import pytest
from state_store import Store, TaskInstance

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.policies.fail_fast import LINE, in_short_lines


def test_a_failed_tasks_log_says_in_short_lines_what_happened_what_may_be_charged_and_what_to_do(connected, caplog):
    connected.fault(drop="after_charge", times=None)
    one = GenerateIllustrationOperator(task_id="t", prompt="A fox", max_replays=0)
    with pytest.raises(Exception, match="may have been charged") as caught:
        one.execute({"ti": TaskInstance(), "task_state_store": Store()})
    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(lines) > 3
    assert max(map(len, lines)) <= LINE
    text = " ".join(lines)
    for fact in ("No answer came back", "charged", "max_replays=0", "delete the key 'talecraft'", "clear the task"):
        assert text.count(fact) == 1 or fact == "charged"
    frames = "".join(traceback.format_exception(caught.value))
    assert "tenacity" not in frames
    assert "urllib3" not in frames


def test_the_last_request_without_an_answer_is_named_too(connected, caplog):
    store = Store()
    connected.fault(drop="after_charge", times=None)
    one = GenerateIllustrationOperator(task_id="t", prompt="A fox", max_replays=1)
    with pytest.raises(errors.TaleCraftOutcomeUnknownError):
        one.execute({"ti": TaskInstance(), "task_state_store": store})
    caplog.clear()
    with pytest.raises(Exception, match="not sent again"):
        one.execute({"ti": TaskInstance(try_number=2), "task_state_store": store})
    said = " ".join(record.getMessage() for record in caplog.records if record.levelname == "ERROR")
    moments = store.get("talecraft")["unanswered"]
    assert len(moments) == 2
    assert all(moment in said for moment in moments)


@pytest.mark.parametrize("text", ["", "One.", "x" * 300, "One sentence. " * 9, "s3://a/b.c. Two.", "1.5 s. Next."])
def test_short_lines_lose_nothing(text):
    lines = in_short_lines(text)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line) <= LINE for line in lines)

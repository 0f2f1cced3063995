"""credits_per_day, over the sandbox: what is sent, what counts, what is given back. With real Airflows, and processes
at the same moment, it is tested in tests/integration/test_spend_limit.py."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowTaskTimeout
from airflow_variables import Variables
from drawing import draw
from state_store import Store, TaskInstance

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.batch.limiter import HaltedError
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
)
from airflow_provider_talecraft.spending import limit
from airflow_provider_talecraft.spending.limit import SpendLimit
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY

NOON = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
REACHED = errors.TaleCraftSpendLimitError if HAS_RETRY_POLICY else AirflowFailException


@pytest.fixture
def variables(monkeypatch):
    return Variables().stand_in(monkeypatch)


@pytest.fixture
def limited(connect, sandbox, variables):
    """The connection talecraft_default leads to the sandbox and allows two pictures a day."""
    connect(host=sandbox.url, password=sandbox.api_key, extra={"credits_per_day": 4})
    return sandbox


def share(credits_per_day=4, conn_id="talecraft_default", now=NOON):
    return SpendLimit(conn_id, credits_per_day, clock=lambda: now).share()


def spend(count=1, **kwargs):
    for _ in range(count):
        with share(**kwargs):
            pass


def generate(prompt="A fox"):
    return TaleCraftHook().generate(prompt)


def charged(sandbox):
    return len(sandbox.ledger()["charges"])


def sent(sandbox):
    return len(sandbox.ledger()["requests"])


@pytest.mark.parametrize(
    ("conn_id", "name"),
    [
        ("talecraft_default", "talecraft_default"), ("A-z.9_X", "A-z.9_X"), ("x" * 100, "x" * 100),
        ("x" * 101, hashlib.sha256(b"x" * 101).hexdigest()[:32]), ("a@b", hashlib.sha256(b"a@b").hexdigest()[:32]),
    ],
)  # fmt: skip
def test_a_variable_is_called_after_the_connection_and_one_that_may_not_be_after_its_digest(variables, conn_id, name):
    spend(conn_id=conn_id)
    (key,) = limit.variable_keys("talecraft_spent@")
    assert key.startswith(f"talecraft_spent@{name}@2026-11-26@")


# What is sent


def test_the_request_that_would_go_over_the_limit_is_not_sent(limited):
    generate()
    generate("An owl")
    with pytest.raises(errors.TaleCraftSpendLimitError) as caught:
        generate("A hare")
    assert (sent(limited), charged(limited)) == (2, 2)
    assert caught.value.outcome == "refused"
    assert str(caught.value) == (
        "credits_per_day: 4 credits were spent today (UTC), or may have been, and the connection's limit is 4: nothing "
        "was sent. Raise credits_per_day, or clear this task after midnight UTC. (connection 'talecraft_default')"
    )


@pytest.mark.parametrize(("credits_per_day", "pictures"), [(1, 0), (2, 1), (3, 1), (4, 2)])
def test_a_limit_that_is_no_whole_number_of_pictures_is_not_passed(variables, credits_per_day, pictures):
    spend(pictures, credits_per_day=credits_per_day)
    with pytest.raises(errors.TaleCraftSpendLimitError):
        spend(credits_per_day=credits_per_day)


def test_without_a_limit_airflow_is_not_asked(connected, variables):
    generate()
    assert variables.asked == 0


def test_a_day_ends_at_midnight_utc(variables):
    spend(2)
    with pytest.raises(errors.TaleCraftSpendLimitError) as caught:
        spend()
    assert caught.value.retry_after == timedelta(hours=12).total_seconds()
    spend(2, now=NOON + timedelta(hours=12))


def test_each_connection_has_its_own_limit(variables):
    spend(2, conn_id="my_books")
    for another in ("my-books", "MY_BOOKS", "my", "my_books@2026-11-26", "книги", "a" * 250, "b" * 250, "a/b#c"):
        spend(2, conn_id=another)
        with pytest.raises(errors.TaleCraftSpendLimitError):
            spend(conn_id=another)
    assert max(map(len, variables.values)) <= 250


# What counts


@pytest.mark.parametrize(
    "error", [errors.TaleCraftOutcomeUnknownError("lost"), AirflowTaskTimeout("late"), SystemExit(), ValueError()]
)
def test_a_request_without_an_answer_counts_as_paid(variables, error):
    for _ in range(2):
        with pytest.raises(type(error)), share():
            raise error
    with pytest.raises(errors.TaleCraftSpendLimitError):
        spend()


@pytest.mark.parametrize(
    "error", [errors.TaleCraftGenerationFailedError("no"), errors.TaleCraftRateLimitError("slow"), HaltedError("halt")]
)
def test_a_refused_request_gives_its_share_back(variables, error):
    for _ in range(5):
        with pytest.raises(type(error)), share():
            raise error
    spend(2)


def test_a_request_that_is_refused_by_the_limit_takes_no_share(variables):
    spend(1)
    for _ in range(3):
        with pytest.raises(errors.TaleCraftSpendLimitError):
            spend(credits_per_day=2)
    spend(1)


def test_what_an_earlier_try_or_run_paid_for_costs_nothing(limited, tmp_path):
    store = Store()
    for try_number in (1, 2, 3):
        operator = GenerateIllustrationOperator(task_id="t", prompt="A fox")
        operator.execute({"ti": TaskInstance(try_number), "task_state_store": store})
    for _ in range(3):
        draw(tmp_path, "An owl")
    assert charged(limited) == 2


def test_a_share_that_cannot_be_given_back_stays_spent_and_hides_no_error(variables):
    variables.broken = {"delete"}
    for _ in range(2):
        with pytest.raises(errors.TaleCraftRateLimitError), share():
            raise errors.TaleCraftRateLimitError("slow down")
    with pytest.raises(errors.TaleCraftSpendLimitError):
        spend()


def test_what_was_spent_is_forgotten_after_two_days_and_not_before(variables):
    spend(1)
    for days, left in ((1, 2), (2, 3), (3, 3)):
        spend(1, now=NOON + timedelta(days=days))
        assert len(variables.values) == left


# What cannot be counted


@pytest.mark.parametrize("method", ["set", "keys"])
def test_a_sum_that_cannot_be_read_is_not_taken_for_nothing(limited, variables, method):
    variables.broken = {method}
    with pytest.raises(errors.TaleCraftUnavailableError, match="does not say what was spent today") as caught:
        generate()
    assert (sent(limited), caught.value.outcome) == (0, "refused")
    variables.broken = set()
    generate()
    generate()
    assert charged(limited) == 2


def test_a_listing_without_the_variable_that_was_just_written_is_not_believed(limited, variables):
    variables.hidden = True
    with pytest.raises(errors.TaleCraftUnavailableError, match="may hide others too"):
        generate()
    assert sent(limited) == 0
    assert not variables.values


def test_an_airflow_that_cannot_list_variables_sends_nothing(limited, monkeypatch):
    def cannot(*_):
        raise NotImplementedError("Airflow 3.0 to 3.2 cannot tell")

    monkeypatch.setattr(limit, "set_variable", cannot)
    with pytest.raises(errors.TaleCraftInvalidRequestError, match=r"credits_per_day: Airflow 3\.0 to 3\.2"):
        generate()
    assert sent(limited) == 0


# Many


def test_of_many_at_the_same_moment_no_more_are_sent_than_the_limit_allows(variables, monkeypatch):
    # Each thread stands for a worker of its own: they share no lock, only the Variables.
    monkeypatch.setattr(limit, "ASKING_AIRFLOW", contextlib.nullcontext())
    start = threading.Barrier(16)

    def worker(_):
        start.wait()
        taken = 0
        for _ in range(6):
            with contextlib.suppress(errors.TaleCraftSpendLimitError):
                spend(credits_per_day=20)
                taken += 1
        return taken

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(worker, range(16))) <= 10


def test_a_batch_stops_at_the_limit_and_keeps_what_it_has(limited):
    store = Store()
    fast = {"max_concurrency": 2, "requests_per_minute": 60_000}
    one = GenerateIllustrationBatchOperator(task_id="t", prompts=[f"Page {n}." for n in range(50)], **fast)
    with pytest.raises(REACHED, match=r"limit is 4.*2 of 50"):
        one.execute({"ti": TaskInstance(), "task_state_store": store})
    assert (sent(limited), charged(limited)) == (2, 2)
    assert sum(entry["state"] == "delivered" for entry in store.entries().values()) == 2
    assert not any(entry["unanswered"] for entry in store.entries().values())

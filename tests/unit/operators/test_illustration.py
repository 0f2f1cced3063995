"""The operator's parameters, and what it does in a try for which Airflow asks no retry policy."""

from __future__ import annotations

import json
import signal

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, AirflowTaskTimeout
from state_store import TaskInstance

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.operators.illustration import (
    DEFAULT_POLICY,
    GenerateIllustrationOperator,
    IllustrationOperator,
)
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY

OWN = TaleCraftRetryPolicy(max_replays=5)


def policy_of(*, mapped, default_args, **kwargs):
    """Return the policy that a task runs with, and what the scheduler is told about it."""
    with DAG("d", schedule=None, default_args=default_args):
        if not mapped:
            task = GenerateIllustrationOperator(task_id="t", prompt="A fox", **kwargs)
            return task.retry_policy, task
        task = GenerateIllustrationOperator.partial(task_id="t", **kwargs).expand(prompt=["A fox"])
    return task.unmap({"prompt": "A fox"}).retry_policy, task


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    ("kwargs", "default_args", "expected"),
    [
        ({}, {}, DEFAULT_POLICY),
        ({}, {"retry_policy": OWN}, OWN),
        ({}, {"retry_policy": None}, None),
        ({"retry_policy": None}, {}, None),
        ({"retry_policy": None}, {"retry_policy": OWN}, None),
        ({"retry_policy": OWN}, {}, OWN),
        ({"retry_policy": OWN}, {"retry_policy": None}, OWN),
    ],
)
@pytest.mark.skipif(not HAS_RETRY_POLICY, reason="retry policies came with Airflow 3.3")
def test_the_policy_is_a_named_default_that_a_dag_and_a_task_may_replace(mapped, kwargs, default_args, expected):
    policy, task = policy_of(mapped=mapped, default_args=default_args, **kwargs)
    assert policy is expected
    assert task.has_retry_policy == (expected is not None)


@pytest.mark.parametrize(
    ("kwargs", "default_args", "retries"), [({}, {}, 3), ({"retries": 1}, {}, 1), ({}, {"retries": 7}, 7)]
)
def test_the_retries_are_a_named_default_too(kwargs, default_args, retries):
    with DAG("d", schedule=None, default_args=default_args):
        assert GenerateIllustrationOperator(task_id="t", prompt="A fox", **kwargs).retries == retries


def test_a_mapped_task_has_the_operators_retries_since_airflow_3_3_and_airflows_own_before():
    with DAG("d", schedule=None):
        task = GenerateIllustrationOperator.partial(task_id="t").expand(prompt=["A fox"])
    assert task.retries == (3 if HAS_RETRY_POLICY else 0)


def test_the_templated_fields_are_the_documented_ones():
    assert set(GenerateIllustrationOperator.template_fields) == {
        "prompt", "style", "aspect_ratio", "fallback_prompts", "talecraft_conn_id",
    }  # fmt: skip


def test_a_prompt_can_be_a_file(tmp_path):
    (tmp_path / "fox.prompt").write_text("A fox on {{ ds }}")
    with DAG("d", schedule=None, template_searchpath=str(tmp_path)):
        task = GenerateIllustrationOperator(task_id="t", prompt="fox.prompt", fallback_prompts=["fox.prompt", "An owl"])
    task.resolve_template_files()
    task.render_template_fields({"ds": "2026-01-02"})
    assert task.prompt == "A fox on 2026-01-02"
    assert task.fallback_prompts == ["A fox on 2026-01-02", "An owl"]


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"max_replays": -1}, "max_replays must be a whole number of at least 0, not -1"),
        ({"max_replays": "1"}, "max_replays must be a whole number of at least 0, not '1'"),
        ({"on_clear": "again"}, "on_clear must be one of regenerate, reuse, not 'again'"),
        ({"prompt": " "}, "prompt is blank"),
        ({"prompt": None}, "prompt must be a string, not NoneType"),
        ({"prompt": "A fox\0"}, "prompt contains a NUL"),
        ({"style": 7}, "style must be a string, not int"),
        ({"aspect_ratio": "5:4"}, "aspect_ratio '5:4' is not supported"),
        ({"prompt": "{{ ds }}", "aspect_ratio": "5:4"}, "aspect_ratio '5:4' is not supported"),
        ({"fallback_prompts": "An owl"}, "fallback_prompts must be a list of prompts, not one str"),
        ({"fallback_prompts": {"An owl", "A cat"}}, "fallback_prompts must be a list of prompts, not one set"),
        ({"fallback_prompts": ["{{ ds }}", ""]}, r"fallback_prompts\[1\]: prompt is blank"),
    ],
)
def test_a_wrong_literal_is_refused_when_the_dag_is_parsed(kwargs, says):
    with pytest.raises(ValueError, match=says):
        GenerateIllustrationOperator(task_id="t", **{"prompt": "A fox", **kwargs})


WRONG = [
    ({"prompt": " "}, "prompt is blank"),
    ({"style": 7}, "style must be a string, not int"),
    ({"aspect_ratio": "5:4"}, "aspect_ratio '5:4' is not supported"),
    ({"fallback_prompts": "An owl"}, "fallback_prompts must be a list of prompts, not one str"),
]


@pytest.mark.parametrize("operator", [GenerateIllustrationOperator, IllustrationOperator])
@pytest.mark.parametrize(("wrong", "says"), WRONG)
def test_so_is_a_wrong_literal_of_a_mapped_task_wherever_it_is_written(operator, wrong, says, tmp_path):
    place = {"dst": tmp_path.as_uri() + "/"} if operator is IllustrationOperator else {}
    (name, value), right = *wrong.items(), {"prompt": "A fox", "aspect_ratio": "1:1"}
    others = {key: [text] for key, text in right.items() if key != name}
    with DAG("d", schedule=None):
        with pytest.raises(ValueError, match=says):
            operator.partial(task_id="a", **place, **wrong)
        with pytest.raises(ValueError, match=says):
            operator.partial(task_id="b", **place).expand(**others, **{name: ["{{ ds }}", value]})
        with pytest.raises(ValueError, match=says):
            operator.partial(task_id="c", **place).expand_kwargs([right, {**right, name: value}])


def test_what_a_mapped_task_learns_when_it_runs_is_not_judged_before():
    with DAG("d", schedule=None) as dag:
        first = GenerateIllustrationOperator(task_id="first", prompt="A fox")
        for number, expanded in enumerate([{"prompt": first.output}, {"prompt": ["{{ ds }}", "a.prompt"]}]):
            GenerateIllustrationOperator.partial(task_id=f"t{number}", aspect_ratio="{{ x }}").expand(**expanded)
        GenerateIllustrationOperator.partial(task_id="u").expand_kwargs(first.output)
        GenerateIllustrationOperator.partial(task_id="v").expand_kwargs([first.output, {"prompt": "{{ ds }}"}])
    assert len(dag.tasks) == 5


def test_a_mapped_task_still_says_that_it_was_never_mapped():
    with DAG("d", schedule=None), pytest.warns(UserWarning, match="never mapped"):
        GenerateIllustrationOperator.partial(task_id="t")


@pytest.mark.parametrize(
    "kwargs",
    [
        {"prompt": "{{ x }}"}, {"prompt": "fox.prompt"}, {"style": "{{ x }}"},
        {"aspect_ratio": "{% if x %}1:1{% endif %}"},
        {"fallback_prompts": ["{{ x }}"]}, {"fallback_prompts": None},
    ],
)  # fmt: skip
def test_a_template_is_judged_when_the_task_runs(kwargs):
    GenerateIllustrationOperator(task_id="t", **{"prompt": "A fox", **kwargs})


def execute(try_number=1, *, retry_policy=None, **kwargs):
    ti = TaskInstance(try_number)
    operator = GenerateIllustrationOperator(task_id="t", prompt="A fox", retry_policy=retry_policy, **kwargs)
    return operator.execute({"ti": ti}), ti


def test_a_picture_is_returned_and_its_url_pushed(connected):
    result, ti = execute(aspect_ratio="3:2")
    assert result == {
        "id": connected.ledger()["charges"][0]["id"],
        "status": "success",
        "image_url": connected.ledger()["charges"][0]["image_url"],
        "prompt": "A fox",
        "style": "children_book",
        "aspect_ratio": "3:2",
    }
    assert ti.pushed.pop("talecraft_report")["state"] == "drawn"
    assert ti.pushed == {"image_url": result["image_url"]}


def test_nothing_is_pushed_when_the_task_pushes_no_xcom(connected):
    assert execute(do_xcom_push=False)[1].pushed == {}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"message": "Invalid API key"}, "TaleCraftAuthenticationError"),
        ({"message": "prompt is required"}, "TaleCraftInvalidRequestError"),
        ({"message": "insufficient credits"}, "TaleCraftInsufficientCreditsError"),
    ],
)
def test_without_a_policy_what_a_retry_cannot_change_fails_at_once(connected, fault, error):
    connected.fault(**fault)
    with pytest.raises(AirflowFailException, match=error):
        execute()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"message": "Generation failed"}, errors.TaleCraftGenerationFailedError),
        ({"status": 521}, errors.TaleCraftUnavailableError),
        ({"status": 429}, errors.TaleCraftRateLimitError),
    ],
)
def test_without_a_policy_what_cost_nothing_is_left_to_the_tasks_retries(connected, fault, error):
    connected.fault(**fault)
    with pytest.raises(error):
        execute(try_number=3)


@pytest.mark.parametrize(
    ("try_number", "max_replays", "error"),
    [
        (1, 0, AirflowFailException),
        (1, 1, errors.TaleCraftOutcomeUnknownError),
        (2, 1, AirflowFailException),
        (2, 2, errors.TaleCraftOutcomeUnknownError),
    ],
)
def test_without_a_record_every_earlier_try_counts_as_a_replay(connected, try_number, max_replays, error):
    connected.fault(drop="after_charge")
    with pytest.raises(error, match="may have been charged"):
        execute(try_number, max_replays=max_replays)


@pytest.mark.parametrize(("try_number", "max_replays", "left"), [(1, 0, 0), (1, 1, 1), (2, 1, 0), (5, 1, 0), (2, 3, 2)])
def test_without_a_record_the_policy_goes_by_the_operators_max_replays(connected, try_number, max_replays, left):
    connected.fault(drop="after_charge")
    error = errors.TaleCraftOutcomeUnknownError if HAS_RETRY_POLICY or left else AirflowFailException
    with pytest.raises(error) as caught:
        execute(try_number, max_replays=max_replays, retry_policy=DEFAULT_POLICY)
    if error is errors.TaleCraftOutcomeUnknownError:
        assert caught.value.replays_left == left


@pytest.mark.parametrize(
    ("max_replays", "error"), [(0, AirflowFailException), (1, errors.TaleCraftOutcomeUnknownError)]
)
def test_without_a_record_a_timeout_of_the_task_counts_as_a_lost_answer(connected, max_replays, error):
    def time_out(*_):
        raise AirflowTaskTimeout("Timeout")

    connected.fault(delay_after_charge=3)
    before = signal.signal(signal.SIGALRM, time_out)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(error, match="may have been charged"):
            execute(max_replays=max_replays)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_fallback_prompts_are_tried_in_order_and_the_result_names_the_one(connected):
    connected.faults([{"prompt": "fox", "message": "Generation failed"}, {"prompt": "owl", "message": "no model"}])
    result, _ = execute(fallback_prompts=["An owl", "A bear"])
    assert result["prompt"] == "A bear"
    assert [charge["prompt"] for charge in connected.ledger()["charges"]] == ["A bear"]


@pytest.mark.parametrize("none", [None, (), []])
def test_there_may_be_no_fallback(connected, none):
    assert execute(fallback_prompts=none)[0]["prompt"] == "A fox"


def test_when_all_prompts_have_failed_the_last_error_counts(connected):
    connected.faults([{"message": "Generation failed"}, {"message": "no model"}])
    with pytest.raises(errors.TaleCraftGenerationFailedError, match="no model"):
        execute(fallback_prompts=["An owl"])


@pytest.mark.parametrize("fault", [{"drop": "after_charge"}, {"message": "insufficient credits"}, {"status": 429}])
def test_only_a_failed_generation_leads_to_the_next_prompt(connected, fault):
    connected.fault(**fault)
    with pytest.raises((errors.TaleCraftError, AirflowFailException)):
        execute(fallback_prompts=["An owl"])
    assert len(connected.ledger()["requests"]) == 1


@pytest.mark.parametrize("fallbacks", ["An owl", "", 7, ["An owl", ""], [None], [7]])
def test_a_wrong_fallback_is_found_before_anything_is_sent(connected, fallbacks):
    one = GenerateIllustrationOperator(task_id="t", prompt="A fox", retry_policy=None)
    one.fallback_prompts = fallbacks
    with pytest.raises(AirflowFailException, match="nothing was sent"):
        one.execute({"ti": TaskInstance()})
    assert not connected.ledger()["requests"]


def test_a_success_says_what_it_cost_and_where_it_is_but_not_the_signature(connected, caplog):
    url = "https://pictures.test/fox.jpeg?X-Amz-Signature=secret"
    connected.fault(body=json.dumps({"code": 0, "data": {"id": "fox", "image_url": url}}), charge=True)
    one = GenerateIllustrationOperator(task_id="t", prompt="A fox")
    with caplog.at_level("INFO"):
        result = one.execute({"ti": TaskInstance(), "outlet_events": {}})
    assert result["image_url"] == url
    told = [record.message for record in caplog.records]
    assert told[-2:] == ["Illustration fox: 2 credits. It can be looked at here:", "https://pictures.test/fox.jpeg"]
    assert "secret" not in caplog.text


def test_a_mapped_task_is_called_by_the_beginning_of_its_prompt_unless_its_author_named_it(connected):
    prompt = "A fox" + "\n{{ ds }}\u202e <b>" + "x" * 100
    for given in (None, "{{ mine }}"):
        ti = TaskInstance()
        ti.map_index = 1
        context = {"ti": ti, "map_index_template": given}
        one = GenerateIllustrationOperator(task_id="t", prompt="A fox")
        one.prompt = prompt
        one.execute(context)
        if given:
            assert context["map_index_template"] == given
        else:
            assert context["map_index_template"] == "{{ talecraft_prompt }}"
            assert context["talecraft_prompt"].startswith("A fox {{ ds }} <b>xxx")
            assert context["talecraft_prompt"].isprintable()
            assert len(context["talecraft_prompt"]) == 60

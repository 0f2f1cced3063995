"""The operator's parameters: what they default to, what of them is refused when the Dag is parsed."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_talecraft.operators.illustration import DEFAULT_POLICY, GenerateIllustrationOperator
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
        ({"max_replays": -1}, "max_replays must be 0 or more, not -1"),
        ({"max_replays": "1"}, "max_replays must be 0 or more, not '1'"),
        ({"on_clear": "again"}, "on_clear must be one of regenerate, reuse, not 'again'"),
    ],
)
def test_a_wrong_parameter_is_refused_when_the_dag_is_parsed(kwargs, says):
    with pytest.raises(ValueError, match=says):
        GenerateIllustrationOperator(task_id="t", prompt="A fox", **kwargs)

"""What is rendered; whatever an XCom brings is in tests/integration/test_handed_on.py."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator


def rendered(operator, **kwargs):
    with DAG("d", schedule=None):
        task = operator(task_id="t", **kwargs)
    task.render_template_fields({"ds": "2026-01-02"})
    return task


def test_what_the_author_wrote_is_rendered():
    task = rendered(GenerateIllustrationOperator, prompt="A fox on {{ ds }}", fallback_prompts=["An owl on {{ ds }}"])
    assert (task.prompt, task.fallback_prompts) == ("A fox on 2026-01-02", ["An owl on 2026-01-02"])


@pytest.mark.parametrize("field", ["illustration", "metadata"])
def test_what_is_data_is_not_rendered_whoever_wrote_it(field):
    data = {"image_url": "https://host/{{ ds }}", "prompt": "{{ ds }}", "list": ["{{ ds }}"]}
    url = {"image_url": "https://host/x"} if field == "metadata" else {}
    task = rendered(IllustrationToObjectStorageOperator, dst="file:///{{ ds }}/", **url, **{field: data})
    assert getattr(task, field) == data
    assert task.dst == "file:///2026-01-02/"


@pytest.mark.parametrize("prompt", ["{{ nothing.of.this }}", "{% if %}", "{{ 'x' | nothing }}", "no-such-file.prompt"])
def test_a_template_that_cannot_be_rendered_is_not_tried_again(prompt):
    with pytest.raises(AirflowFailException, match=r"cannot be rendered .*: nothing was sent"):
        rendered(GenerateIllustrationOperator, prompt=prompt)

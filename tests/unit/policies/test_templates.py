"""What is rendered; whatever an XCom brings is in tests/integration/test_handed_on.py."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, BaseOperator

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
from airflow_provider_talecraft.policies.templates import is_xcom
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


def test_a_task_outside_of_a_dag_is_rendered_too():
    task = GenerateIllustrationOperator(task_id="t", prompt="A fox on {{ ds }}")
    task.render_template_fields({"ds": "2026-01-02"})
    assert task.prompt == "A fox on 2026-01-02"


# Mapped tasks


def mapped(ds="2026-01-02", *, default_args=None, partial=None, number=0, **expanded):
    """Render one of the tasks that Airflow makes of a mapped one, with what it has taken for it; return the task."""
    ((method, argument),) = expanded.items()
    with DAG("d", schedule=None, default_args=default_args or {}) as dag:
        upstream = BaseOperator(task_id="upstream")
        part = GenerateIllustrationOperator.partial(task_id="t", **(partial or {}))
        given = argument(upstream.output)
        part.expand(**given) if method == "expand" else part.expand_kwargs(given)
    taken = given[number] if isinstance(given, list) else given
    brought = dict.fromkeys(("prompt", "style"), "{{ ds }}") if is_xcom(taken) else taken
    values = {name: "{{ ds }}" for name in brought if name not in (partial or {})}
    task = dag.task_dict["t"].unmap(values)
    task.render_template_fields({"ds": ds, "ti": SimpleNamespace(map_index=number)})
    return task


def test_what_expand_takes_from_an_xcom_is_not_rendered():
    task = mapped(expand=lambda xcom: {"prompt": xcom}, partial={"style": "{{ ds }}"})
    assert (task.prompt, task.style) == ("{{ ds }}", "2026-01-02")


def test_what_expand_takes_from_the_author_is_rendered():
    task = mapped(expand=lambda _: {"prompt": ["{{ ds }}"]}, partial={"style": "{{ ds }}"})
    assert (task.prompt, task.style) == ("2026-01-02", "2026-01-02")


def test_of_one_expand_the_xcoms_are_data_and_the_authors_lists_are_rendered():
    task = mapped(expand=lambda xcom: {"prompt": xcom, "style": ["{{ ds }}"]})
    assert (task.prompt, task.style) == ("{{ ds }}", "2026-01-02")


def test_what_expand_kwargs_takes_from_an_xcom_is_not_rendered_and_what_stands_beside_it_is():
    beside = {"default_args": {"talecraft_conn_id": "c-{{ ds }}"}, "partial": {"aspect_ratio": "{{ ds }}"}}
    task = mapped(expand_kwargs=lambda xcom: xcom, **beside)
    assert (task.prompt, task.style) == ("{{ ds }}", "{{ ds }}")
    assert (task.aspect_ratio, task.talecraft_conn_id) == ("2026-01-02", "c-2026-01-02")


def test_what_partial_says_counts_for_more_than_default_args():
    beside = {"default_args": {"aspect_ratio": "d-{{ ds }}"}, "partial": {"aspect_ratio": "p-{{ ds }}"}}
    assert mapped(expand_kwargs=lambda xcom: xcom, **beside).aspect_ratio == "p-2026-01-02"


def test_of_a_list_for_expand_kwargs_only_the_item_that_is_an_xcom_is_data():
    for number, prompt in enumerate(["2026-01-02", "{{ ds }}"]):
        task = mapped(expand_kwargs=lambda xcom: [{"prompt": "{{ ds }}"}, xcom], number=number)
        assert task.prompt == prompt


def test_an_xcom_within_data_is_resolved_and_what_it_holds_is_not_rendered():
    class XCom:
        def __init__(self, value):
            self.value = value

        def resolve(self, context):
            return self.value + context["ds"]

        def iter_references(self):
            return iter(())

    class Own(dict):
        pass

    own = Own(x=XCom("left"))
    data = {"image_url": XCom("https://host/{{ ds }}/"), "list": [XCom("a"), "b"], "pair": (XCom("c"), 1), "own": own}
    task = rendered(IllustrationToObjectStorageOperator, dst="file:///x/", illustration=data)
    assert task.illustration == {
        "image_url": "https://host/{{ ds }}/2026-01-02", "list": ["a2026-01-02", "b"], "pair": ("c2026-01-02", 1),
        "own": own,
    }  # fmt: skip
    assert isinstance(task.illustration["pair"], tuple)

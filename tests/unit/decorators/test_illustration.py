"""What the function returns becomes the task's options; what it may not return is said before anything is sent."""

from __future__ import annotations

import inspect

import pytest
from airflow.providers.common.compat.sdk import DAG
from drawing import another_run, prompts_of, requests_of
from state_store import Store

from airflow_provider_talecraft.decorators.illustration import FIELDS, NOT_KNOWN_YET, illustration_task
from airflow_provider_talecraft.exceptions import TaleCraftError, TaleCraftInvalidRequestError, TaleCraftRateLimitError
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator, IllustrationOperator
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY

ANYTHING = Exception if not HAS_RETRY_POLICY else TaleCraftInvalidRequestError


def task_of(function, **options):
    """Return the task that a function becomes."""
    with DAG("d", schedule=None):
        return illustration_task(task_id="t", **options)(function)().operator


def draw(function, **options):
    """Run it as a task does, in a run of its own."""
    task = task_of(function, **options)
    # Airflow 2.11 wraps it in a check that works in the main thread only.
    return inspect.unwrap(type(task).execute)(task, {"ti": another_run()})


def test_a_string_is_generated(connected):
    result = draw(lambda: "A fox", aspect_ratio="16:9")
    assert (result["prompt"], result["aspect_ratio"]) == ("A fox", "16:9")
    assert "path" not in result


def test_a_mapping_replaces_the_options_of_one_picture(connected, tmp_path):
    given = {
        "prompt": "A fox", "style": "children_book", "aspect_ratio": "2:3", "fallback_prompts": ["An owl"],
        "dst": f"file://{tmp_path}/", "dst_conn_id": None, "name": "fox",
    }  # fmt: skip
    assert set(given) == set(FIELDS)
    result = draw(lambda: given, dst="file:///nowhere/", aspect_ratio="1:1", name="another")
    assert result["path"] == f"file://{tmp_path}/fox.jpeg"
    assert result["aspect_ratio"] == "2:3"


def test_fallback_prompts_are_those_of_the_mapping(connected):
    connected.fault(prompt="A fox", message="Generation failed")
    assert draw(lambda: {"prompt": "A fox", "fallback_prompts": ["An owl"]})["prompt"] == "An owl"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "returned NoneType"),
        (["A fox"], "returned list"),
        (b"A fox", "returned bytes"),
        (7, "returned int"),
        ({"prompt": "A fox", "ratio": "1:1"}, "returned a mapping with 'ratio'"),
        ({"prompt": "A fox", 1: "1:1"}, "returned a mapping with '1'"),
        ({"prompt": "A fox", "talecraft_conn_id": "another"}, "returned a mapping with 'talecraft_conn_id'"),
        ({"aspect_ratio": "1:1"}, "returned a mapping without a prompt"),
        ({"prompt": "A fox", "dst": None}, "a dst that is NoneType"),
        ({"prompt": "A fox", "name": "fox"}, "'name', but there is no dst"),
        ({"prompt": None}, "prompt must be a string, not NoneType"),
        ("  ", "prompt is blank"),
        ({"prompt": "A fox", "style": None}, "style must be a string"),
        ({"prompt": "A fox", "aspect_ratio": "1:9"}, "'1:9' is not supported"),
        ({"prompt": "A fox", "fallback_prompts": "An owl"}, "fallback_prompts must be a list"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_return_is_a_clear_error_and_sends_nothing(connected, given, said):
    with pytest.raises(ANYTHING, match="nothing was sent") as caught:
        draw(lambda: given)
    assert said in str(caught.value)
    assert "InvalidRequestError" in f"{caught.type.__name__} {caught.value}"
    assert requests_of(connected) == 0


def test_a_function_that_yields_returns_no_prompt(connected):
    def pages():
        yield "A fox"

    with pytest.raises(ANYTHING, match="The function pages returned generator"):
        draw(pages)


def test_what_the_function_raises_passes_as_it_is(connected):
    def fails(error):
        def function():
            raise error

        return function

    for error in (KeyError("row"), TaleCraftRateLimitError("of a request of its own")):
        with pytest.raises(type(error)) as caught:
            draw(fails(error))
        assert caught.value is error
    assert requests_of(connected) == 0


@pytest.mark.parametrize(
    "options",
    [{"redraw": "sometimes"}, {"on_clear": "perhaps"}, {"max_replays": -1}, {"max_bytes": 0}, {"aspect_ratio": "1:9"}],
    ids=str,
)
def test_a_wrong_option_is_found_when_the_dag_is_parsed(options):
    with pytest.raises(ValueError, match=r"must be|not supported"):
        task_of(lambda: "A fox", **options)


def test_it_has_every_option_and_default_of_both_operators():
    task = task_of(lambda: "A fox")
    for operator in (IllustrationOperator, GenerateIllustrationOperator):
        for name, parameter in inspect.signature(inspect.unwrap(operator.__init__)).parameters.items():
            if parameter.default is not inspect.Parameter.empty:
                assert getattr(task, name) == parameter.default, name
    assert (task.dst, task.prompt) == (None, NOT_KNOWN_YET)


def test_the_prompt_is_not_an_option():
    with pytest.raises(TypeError, match="prompt"):
        task_of(lambda: "A fox", prompt="An owl")


def test_the_annotation_of_the_function_does_not_scatter_the_output():
    def draw() -> dict:
        return {"prompt": "A fox"}

    assert not task_of(draw).multiple_outputs
    assert task_of(draw, multiple_outputs=True).multiple_outputs


@pytest.mark.parametrize(("on_clear", "charges"), [("reuse", 1), ("regenerate", 2)])
def test_a_clear_means_what_on_clear_says(connected, on_clear, charges):
    store = Store()
    for max_tries in (0, 1):
        task = task_of(lambda: "A fox", on_clear=on_clear)
        context = {"ti": another_run(max_tries=max_tries), "task_state_store": store}
        inspect.unwrap(type(task).execute)(task, context)
    assert len(prompts_of(connected)) == charges


def test_the_money_is_the_operators(connected, tmp_path):
    for drawn in (True, False):
        assert draw(lambda: "A fox", dst=f"file://{tmp_path}/")["drawn"] is drawn
    assert prompts_of(connected) == ["A fox"]
    connected.fault(drop="after_charge")
    with pytest.raises((TaleCraftError, Exception), match="may have been charged"):
        draw(lambda: "An owl", max_replays=0)

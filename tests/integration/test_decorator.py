"""``@task.illustration`` in real runs: ``dag.test()`` over the sandbox, on every Airflow that the tests run on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drawing import prompts_of, requests_of

pytestmark = pytest.mark.integration

DOCS = (Path(__file__).parents[2] / "docs" / "decorator.md").read_text()
HEAD = """
import json
from datetime import datetime, timedelta
from pathlib import Path
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, XCom, task
DST = "file://{folder}/pictures/"
DEFAULTS = {{"retries": 0}}

@task
def keep(output, run_id=None):
    Path("{folder}/output.json").write_text(json.dumps(list(output) if not isinstance(output, dict) else output))

"""
HOSTILE = "{{ conn.talecraft_default.password }} {% raw %} ends in .prompt"


@pytest.fixture
def run(connected, tmp_path, monkeypatch, request):
    """Run the body of a Dag once; return the run's state, and what it gave to ``keep``."""
    from airflow.models import DagBag

    def once(body, *, defaults="{}"):
        name = re.sub(r"\W", "_", request.node.name)[:60]
        body = re.sub("^", "    ", body.strip(), flags=re.MULTILINE)
        start = 'start_date=datetime(2026, 1, 1), params={"animal": "fox"}'
        opening = f'with DAG("{name}", schedule=None, default_args={{**DEFAULTS, **{defaults}}}, {start}) as dag:'
        (tmp_path / f"{name}.py").write_text(f"{HEAD.format(folder=tmp_path)}{opening}\n{body}\n")
        monkeypatch.setattr("airflow.settings.DAGS_FOLDER", str(tmp_path))  # Airflow 3 looks for a Dag there
        bag = DagBag(str(tmp_path / f"{name}.py"))
        assert not bag.import_errors
        (dag,) = bag.dags.values()
        state = dag.test().state
        kept = tmp_path / "output.json"
        return state, json.loads(kept.read_text()) if kept.exists() else None

    return once


def test_what_the_function_returns_is_drawn_and_its_arguments_are_templates(run, connected):
    state, output = run("""
@task.illustration(aspect_ratio="16:9")
def draw(animal, run_id=None):
    return f"A {animal} at sea, {type(run_id).__name__}"
keep(draw("{{ params.animal }}"))
""")
    assert state == "success"
    assert prompts_of(connected) == ["A fox at sea, str"]
    assert set(output) == {"id", "status", "image_url", "prompt", "style", "aspect_ratio"}
    assert output["aspect_ratio"] == "16:9"


def test_with_dst_a_second_run_finds_the_picture_and_costs_nothing(run, connected, tmp_path):
    for drawn in (True, False):
        state, output = run("""
@task.illustration(dst=DST)
def draw():
    return "A fox"
keep(draw())
""")
        assert (state, output["drawn"]) == ("success", drawn)
        assert Path(output["path"].removeprefix("file://")).read_bytes().startswith(b"\xff\xd8\xff")
    assert prompts_of(connected) == ["A fox"]


def test_a_mapping_says_what_is_of_this_picture_alone(run, connected, tmp_path):
    state, output = run("""
@task.illustration(style="children_book", aspect_ratio="1:1")
def draw():
    return {"prompt": "A fox", "aspect_ratio": "4:3", "dst": DST, "name": "fox"}
keep(draw())
""")
    assert state == "success"
    assert output["path"].endswith("/pictures/fox.jpeg")
    assert (output["style"], output["aspect_ratio"]) == ("children_book", "4:3")
    assert (tmp_path / "pictures" / "fox.json").exists()


@pytest.mark.parametrize("options", ["", "dst=DST"], ids=["generated", "stored"])
def test_it_is_mapped_over_the_functions_arguments(run, connected, options):
    state, output = run(f"""
@task
def animals():
    return ["fox", "owl"]
@task.illustration({options})
def draw(animal, place, day):
    return f"A {{animal}} {{place}} {{day}}"
some = draw.override(task_id="drawn").partial(place="at sea", day="{{{{ dag_run.dag_id[:5] }}}}")
keep(some.expand(animal=animals()))
""")
    assert state == "success"
    assert sorted(prompts_of(connected)) == ["A fox at sea test_", "A owl at sea test_"]
    assert sorted(part["prompt"] for part in output) == sorted(prompts_of(connected))


def test_a_prompt_is_data_however_it_comes(run, connected):
    state, _ = run(f"""
HOSTILE = {HOSTILE!r}
@task
def one():
    return HOSTILE + " given"
@task
def listed():
    return [HOSTILE + " expanded"]
@task
def rows():
    return [{{"prompt": HOSTILE + " mapped"}}]
@task.illustration
def own():
    return {{"prompt": HOSTILE, "fallback_prompts": [HOSTILE + " 2"]}}
@task.illustration
def draw(prompt):
    return prompt
own() >> draw(one()) >> draw.expand(prompt=listed()) >> draw.expand_kwargs(rows())
""")
    assert state == "success"
    ends = ["", " given", " expanded", " mapped"]
    assert sorted(prompts_of(connected)) == sorted(HOSTILE + end for end in ends)


def test_default_args_hold_for_a_single_and_for_a_mapped_task(run, connected):
    state, _ = run(
        """
@task.illustration
def draw(animal):
    return f"A {animal}"
draw("fox") >> draw.expand(animal=["owl"])
""",
        defaults='{"style": "children_book", "aspect_ratio": "9:16", "talecraft_conn_id": "talecraft_default"}',
    )
    assert state == "success"
    assert [charge["aspect_ratio"] for charge in connected.ledger()["charges"]] == ["9:16", "9:16"]


@pytest.mark.parametrize("call", ["draw()", 'draw.override(retries=3).partial(tail="").expand(head=["A fox"])'])
def test_the_policy_stops_where_no_retry_would_help(run, connect, connected, call):
    connect(host=connected.url, password="tc-wrong")
    state, _ = run(f"""
@task.illustration(retries=3, retry_delay=timedelta(0))
def draw(head="A fox", tail=""):
    return head + tail
{call}
""")
    assert state == "failed"
    assert requests_of(connected) == 1


def test_a_wrong_return_fails_before_anything_is_sent_and_is_not_tried_again(run, connected, tmp_path):
    state, _ = run("""
@task.illustration(retries=3, retry_delay=timedelta(0))
def draw():
    with Path(DST[7:-10] + "/calls").open("a") as calls:
        calls.write(".")
    return ["A fox"]
draw()
""")
    assert state == "failed"
    assert requests_of(connected) == 0
    assert (tmp_path / "calls").read_text() == "."


def test_the_functions_own_exceptions_are_airflows(run, connected):
    state, _ = run("""
@task.illustration
def draw():
    raise AirflowSkipException("nothing to draw today")
draw()
""")
    assert state == "success", "it was skipped"
    assert requests_of(connected) == 0


SNIPPETS = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_snippets_of_the_page_run_as_they_stand(run, connected, tmp_path, snippet):
    body = re.sub(r"(file|s3)://[^\"]*?/", f"file://{tmp_path}/", snippet)
    state, _ = run(body)
    assert state == "success"
    assert prompts_of(connected)

"""The pages in docs/ agree with the code."""

from __future__ import annotations

import inspect
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from airflow_provider_talecraft.api import protocol
from airflow_provider_talecraft.batch import limiter
from airflow_provider_talecraft.batch import run as batch
from airflow_provider_talecraft.exceptions import TaleCraftRateLimitError
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.spending.store import KEY

DOCS = Path(__file__).parents[2] / "docs"
RETRIES = (DOCS / "retries.md").read_text()


def test_the_policys_parameters_and_defaults_are_the_codes():
    table = re.search(r"\| parameter \| default \|\n.*?\n\n", RETRIES, re.DOTALL).group()
    said = {}
    for names, defaults in re.findall(r"^\| (`.*?) \| (.*?) \|$", table, re.MULTILINE):
        said |= dict(zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=True))
    parameters = dict(inspect.signature(TaleCraftRetryPolicy).parameters)
    del parameters["chance"]
    assert list(said) == list(parameters)
    for name, parameter in parameters.items():
        default = parameter.default
        spelled = f"{default.total_seconds():.0f} s" if isinstance(default, timedelta) else str(default).lower()
        assert said[name].startswith(spelled), name


def test_the_key_to_delete_is_the_records():
    assert f"delete the key `{KEY}`" in RETRIES


def test_the_statuses_of_each_outcome_are_the_codes():
    rows = dict(re.findall(r"^\| (refused|unknown) \| (.*?) \|", RETRIES, re.MULTILINE))
    for status in sorted(protocol.NEVER_REACHED):
        assert re.search(rf"\b{status}\b", rows["refused"])
    for outcome, text in rows.items():
        for status in map(int, re.findall(r"\b[45]\d\d\b", text.replace("but 408 and 499", ""))):
            header = "60" if f"{status} with `Retry-After`" in text else None
            assert protocol.is_refusal(status, header) == (outcome == "refused"), status
    for status in protocol.IMPATIENT:
        assert not protocol.is_refusal(status, None)


def test_the_batchs_numbers_are_the_codes():
    assert f"spread evenly at {100 / limiter.SLACK:.0f} % of that rate" in RETRIES
    assert f"else by {limiter.DEFAULT_SLOW_DOWN:.0f} s" in RETRIES
    assert f"more than {limiter.MOST_SLOW_DOWNS} in a row" in RETRIES
    assert f"more than {limiter.LONGEST_SLOW_DOWN:.0f} s" in RETRIES
    assert batch.MOST_IN_A_ROW == 10
    assert "ten illustrations in a row" in RETRIES


@pytest.mark.parametrize(
    ("page", "path"),
    [
        (page, path)
        for page in sorted(DOCS.rglob("*.md"))
        for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    ],
    ids=str,
)
def test_every_link_to_a_file_leads_to_one(page, path):
    assert (page.parent / path).exists()


@pytest.mark.parametrize("path", re.findall(r"`(tests/[\w/.]+)`", RETRIES + (DOCS / "scale.md").read_text()))
def test_every_test_that_is_named_is_there(path):
    assert (DOCS.parent / path).exists()


STORAGE = (DOCS / "storage.md").read_text()


def test_the_limits_of_fetching_are_the_codes():
    from airflow_provider_talecraft.pictures import fetching
    from airflow_provider_talecraft.pictures import format as picture

    connect, read = fetching.TIMEOUTS
    assert f"{connect:.0f} s to connect, {read:.0f} s between two reads, {fetching.DEADLINE:.0f} s in all" in STORAGE
    edges = set(range(520, 531))
    others = ", ".join(str(status) for status in sorted(fetching.PASSING - edges))
    assert edges < fetching.PASSING
    others = others.replace("404,", "404 (a picture may be handed out a moment before it stands),")
    assert f"HTTP {others} and 520 to 530, are tried up to" in STORAGE
    assert f"are tried up to {fetching.ATTEMPTS} times" in STORAGE
    assert f"at most {picture.MAX_PIXELS:,}" in STORAGE


def test_the_choices_of_if_exists_are_the_codes():
    from airflow_provider_talecraft.policies.options import IfExists

    assert re.findall(r"^\| `\"(\w+)\"` \|", STORAGE, re.MULTILINE) == list(get_args(IfExists))


def test_every_connection_of_a_recipe_is_json():
    recipes = [json.loads(text) for text in re.findall(r"`(\{\"conn_type\".*?\}\}?)`", STORAGE)]
    assert [recipe["conn_type"] for recipe in recipes] == ["aws", "google_cloud_platform", "wasb"]


def test_the_extras_of_the_recipes_are_there():
    project = (DOCS.parent / "pyproject.toml").read_text()
    for extra in set(re.findall(r"airflow-provider-talecraft\[(\w+)\]", STORAGE)):
        assert f"\n{extra} = [" in project


def test_the_snippet_is_a_task():
    (snippet,) = re.findall(r"```python\n(.*?)```", STORAGE, re.DOTALL)
    from airflow.providers.common.compat.sdk import DAG

    from airflow_provider_talecraft.operators.illustration import GenerateIllustrationOperator
    from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

    with DAG("storage", schedule=None) as dag:
        generate = GenerateIllustrationOperator(task_id="generate", prompt="A fox")
        exec(
            snippet,
            {"generate": generate, "IllustrationToObjectStorageOperator": IllustrationToObjectStorageOperator},
        )
    assert dag.get_task("store").upstream_task_ids == {"generate"}


SCALE = (DOCS / "scale.md").read_text()


def test_every_snippet_about_scale_is_a_task():
    from airflow.providers.common.compat.sdk import DAG

    from airflow_provider_talecraft.operators import illustration

    operators = {name: getattr(illustration, name) for name in illustration.__all__}
    names = {"TaleCraftRetryPolicy": TaleCraftRetryPolicy, "timedelta": timedelta, **operators}
    for number, snippet in enumerate(re.findall(r"```python\n(.*?)```", SCALE, re.DOTALL)):
        with DAG(f"scale_{number}", schedule=None) as dag:
            exec(snippet, dict(names))
        tasks = list(dag.tasks)
        assert tasks
        assert number == 0 or {task.pool for task in tasks} == {"talecraft"}


def test_the_limits_on_the_page_are_the_codes():
    from airflow_provider_talecraft.api.models import CREDITS
    from airflow_provider_talecraft.operators import generate_illustration_batch as batch

    limits = f"{batch.DEFAULT_REQUESTS_PER_MINUTE} requests a minute, {batch.DEFAULT_MAX_CONCURRENCY} at a time"
    assert limits in SCALE
    assert f"`manifest_threshold` ({batch.DEFAULT_MANIFEST_THRESHOLD})" in SCALE
    for count, credits_ in re.findall(r"^\| ([\d,]+) \| ([\d,]+) \| \d", SCALE, re.MULTILINE):
        assert int(credits_.replace(",", "")) == int(count.replace(",", "")) * CREDITS
    assert f"airflow pools set talecraft {batch.DEFAULT_MAX_CONCURRENCY} " in SCALE


def test_the_wait_for_another_day_is_a_day_however_much_of_it_is_cut():
    (hours,) = re.findall(r"rate_limit_delay=timedelta\(hours=(\d+)\)", SCALE)
    policy = TaleCraftRetryPolicy(rate_limit_delay=timedelta(hours=int(hours)), chance=lambda: 1.0)
    assert policy._delay(TaleCraftRateLimitError("Too many."), 1) >= timedelta(days=1)

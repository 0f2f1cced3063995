"""The reference in docs/reference, and the docstrings it shows, hold: names, defaults, messages, statuses."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_provider_talecraft import exceptions
from airflow_provider_talecraft.api import protocol
from airflow_provider_talecraft.api.address import DEFAULT_BASE_URL
from airflow_provider_talecraft.api.models import ASPECT_RATIOS
from airflow_provider_talecraft.get_provider_info import get_provider_info
from airflow_provider_talecraft.hooks import settings
from airflow_provider_talecraft.hooks.talecraft import RETRY_FOR, SHORT_RETRY_AFTER, TaleCraftHook
from airflow_provider_talecraft.operators.generate_illustration_batch import (
    DEFAULT_MAX_CONCURRENCY,
    DEFAULT_REQUESTS_PER_MINUTE,
)
from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
    IllustrationOperator,
)
from airflow_provider_talecraft.policies.retry import TaleCraftRetryPolicy
from airflow_provider_talecraft.transfers.illustration_to_object_storage import (
    IllustrationBatchToObjectStorageOperator,
    IllustrationToObjectStorageOperator,
)
from airflow_provider_talecraft.version_compat import HAS_RETRY_POLICY, RetryAction

ROOT = Path(__file__).parents[2]
REFERENCE = {path.stem: path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md")}
OPERATORS = [
    GenerateIllustrationOperator,
    GenerateIllustrationBatchOperator,
    IllustrationOperator,
    IllustrationToObjectStorageOperator,
    IllustrationBatchToObjectStorageOperator,
]


def rows(page):
    """Return the cells of the first table of a page."""
    table = re.search(r"(?:^\|.*\n)+", REFERENCE[page], re.MULTILINE).group()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def parameters(documented):
    """Return what a docstring says of each parameter."""
    fields = re.split(r"^:", inspect.cleandoc(documented.__doc__), flags=re.MULTILINE)
    said = (re.fullmatch(r"param (\w+): (.*)", field, re.DOTALL) for field in fields)
    return {match.group(1): " ".join(match.group(2).split()) for match in said if match}


def public_classes():
    """Yield the names of what Dags import from the modules that Airflow is told of, the retry policy, the decorator."""
    info = get_provider_info()
    modules = [name for part in (*info["operators"], *info["hooks"]) for name in part["python-modules"]]
    modules += [part["python-module"] for part in info["transfers"]]
    for module in modules:
        yield from (
            name
            for name, value in vars(import_module(module)).items()
            if inspect.isclass(value) and value.__module__ == module and not name.startswith("_")
        )
    yield TaleCraftRetryPolicy.__name__
    yield from (decorator["class-name"].rpartition(".")[2] for decorator in info["task-decorators"])


@pytest.mark.parametrize("name", public_classes())
def test_what_dags_import_is_in_the_reference(name):
    assert f"\n## {name}\n" in "".join(REFERENCE.values())


@pytest.mark.parametrize("path", re.findall(r"^::: ([\w.]+)$", "\n".join(REFERENCE.values()), re.MULTILINE))
def test_everything_that_the_reference_shows_is_there_and_says_something(path):
    module, _, name = path.rpartition(".")
    shown = getattr(import_module(module), name)
    assert shown.__doc__
    assert path == (shown.__name__ if inspect.ismodule(shown) else f"{shown.__module__}.{name}")


@pytest.mark.parametrize(
    "documented", [*OPERATORS, TaleCraftHook, TaleCraftHook.generate, TaleCraftRetryPolicy], ids=lambda it: it.__name__
)
def test_a_docstring_names_every_parameter_and_no_other(documented):
    signature = inspect.signature(documented.__init__ if inspect.isclass(documented) else documented)
    expected = {name for name, it in signature.parameters.items() if it.kind is not it.VAR_KEYWORD} - {"self"}
    assert set(parameters(documented)) == expected


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__)
def test_a_docstring_says_which_parameters_are_templated(operator):
    data = getattr(operator, "data_fields", ())
    for name, text in parameters(operator).items():
        assert ("(templated" in text) == (name in operator.template_fields and name not in data), name
        assert ("text in it is never rendered" in text) == (name in data), name


def test_the_batchs_limits_are_the_codes():
    said = parameters(GenerateIllustrationBatchOperator)
    assert f"else {DEFAULT_MAX_CONCURRENCY}." in said["max_concurrency"]
    assert f"else {DEFAULT_REQUESTS_PER_MINUTE}." in said["requests_per_minute"]


@pytest.mark.parametrize("documented", [GenerateIllustrationOperator, IllustrationOperator, TaleCraftHook.generate])
def test_the_ratios_are_all_named(documented):
    assert tuple(re.findall(r"\d+:\d+", parameters(documented)["aspect_ratio"])) == ASPECT_RATIOS


def test_the_connections_defaults_are_the_codes():
    defaults = {row[0]: row[1].strip("`") for row in rows("connection")}
    assert defaults["host"] == DEFAULT_BASE_URL
    assert float(defaults["extra `connect_timeout`"]) == settings.DEFAULT_CONNECT_TIMEOUT
    assert float(defaults["extra `read_timeout`"]) == settings.DEFAULT_READ_TIMEOUT
    named = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in rows("connection"))))
    assert named == {*settings.ConnectionSettings.__dataclass_fields__, "allow_http"} - {"api_key", "base_url"}


def error_rows():
    return rows("errors")


def test_the_error_table_has_every_error():
    classes = [row[0].strip("`") for row in error_rows()]
    assert classes == [
        name for name, error in vars(exceptions).items()
        if isinstance(error, type) and name != "TaleCraftError"
    ]  # fmt: skip


@pytest.mark.parametrize("row", error_rows(), ids=lambda row: row[0].strip("`"))
def test_the_error_table_says_what_is_charged_and_what_the_task_does(row):
    error = getattr(exceptions, row[0].strip("`"))
    assert row[2] == {"refused": "no", "unknown": "perhaps", None: "no"}[error.outcome]
    policy = TaleCraftRetryPolicy(chance=lambda: 0.0, wait_for_credits=None)
    decisions = [policy.evaluate(error("x"), try_number, 99) for try_number in (1, 99)]
    if error is exceptions.TaleCraftOutcomeUnknownError:
        assert decisions[1].action is RetryAction.FAIL
        seconds = decisions[0].retry_delay.seconds
        assert row[3] == f"retries after `Retry-After`, else {seconds} s, while a replay is left, else stops"
    elif decisions[0].action is RetryAction.FAIL:
        assert row[3].startswith("stops")
    elif decisions[0].action is RetryAction.DEFAULT:
        assert row[3] == "is Airflow's to retry"
    else:
        seconds = [str(decision.retry_delay.seconds) for decision in decisions]
        assert re.findall(r"(\d+) s", row[3]) == sorted(set(seconds), key=int)


@pytest.mark.parametrize("status", range(200, 600))
def test_the_error_table_says_what_every_status_without_an_answer_becomes(status):
    raised_on = {row[0].strip("`"): row[1] for row in error_rows()}
    named = [name for name, text in raised_on.items() if re.search(rf"(?:HTTP|,|\() ?{status}\b(?! with )", text)]
    if status == 503:
        named = ["TaleCraftOutcomeUnknownError"]
    expected = named or ["TaleCraftInvalidRequestError" if 400 <= status < 500 else "TaleCraftOutcomeUnknownError"]
    with pytest.raises(exceptions.TaleCraftError) as caught:
        protocol.parse(status, b"<html>")
    assert [type(caught.value).__name__] == expected


def test_the_error_table_tells_the_two_kinds_of_503_apart():
    raised_on = {row[0].strip("`"): row[1] for row in error_rows()}
    assert "HTTP 503 with `Retry-After`" in raised_on["TaleCraftUnavailableError"]
    assert "HTTP 503 without `Retry-After`" in raised_on["TaleCraftOutcomeUnknownError"]
    for retry_after, name in (("60", "TaleCraftUnavailableError"), (None, "TaleCraftOutcomeUnknownError")):
        with pytest.raises(getattr(exceptions, name)):
            protocol.parse(503, b"", retry_after=retry_after)


@pytest.mark.parametrize(("prefix", "error"), [(prefix, error) for prefix, error, _ in protocol.MESSAGES])
def test_the_error_table_names_every_message(prefix, error):
    (row,) = [row for row in error_rows() if row[0].strip("`") == error.__name__]
    assert prefix in row[1]


def test_the_limits_of_the_hooks_retries_are_the_codes():
    assert RETRY_FOR == 60
    assert "at most a minute" in REFERENCE["hook"]
    assert f"HTTP 429 or 503 with a\n`Retry-After` of at most {SHORT_RETRY_AFTER:.0f} s" in REFERENCE["hook"]


def test_the_operators_are_operators():
    assert all(issubclass(operator, BaseOperator) for operator in OPERATORS)


def test_the_hook_works_in_a_task_of_ones_own():
    (snippet,) = re.findall(r"```python\n(.*?)```", REFERENCE["hook"], re.DOTALL)
    with DAG("hook", schedule=None) as dag:
        exec(snippet + "cover()", {})
    assert dag.task_ids == ["cover"]


@pytest.mark.skipif(not HAS_RETRY_POLICY, reason="retry policies came with Airflow 3.3")
def test_the_policy_works_on_a_plain_task():
    (snippet,) = re.findall(r"```python\n(.*?)```", REFERENCE["policy"], re.DOTALL)
    with DAG("policy", schedule=None) as dag:
        exec(snippet + "cover()", {})
    assert dag.get_task("cover").retry_policy.wait_for_credits.total_seconds() == 6 * 60 * 60

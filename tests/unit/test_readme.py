"""Every name, default and snippet in the README holds."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_provider_talecraft import exceptions
from airflow_provider_talecraft.api import protocol
from airflow_provider_talecraft.api.address import DEFAULT_BASE_URL
from airflow_provider_talecraft.api.models import ASPECT_RATIOS
from airflow_provider_talecraft.hooks import settings
from airflow_provider_talecraft.hooks.talecraft import RETRY_FOR, SHORT_RETRY_AFTER, TaleCraftHook
from airflow_provider_talecraft.operators.generate_illustration_batch import (
    DEFAULT_MAX_CONCURRENCY,
    DEFAULT_REQUESTS_PER_MINUTE,
)
from airflow_provider_talecraft.operators.illustration import (
    DEFAULT_POLICY,
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
README = (ROOT / "README.md").read_text()
OPERATORS = [
    GenerateIllustrationOperator,
    GenerateIllustrationBatchOperator,
    IllustrationOperator,
    IllustrationToObjectStorageOperator,
    IllustrationBatchToObjectStorageOperator,
]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def rows_after(heading):
    """Return the cells of the first table after a heading."""
    text = README.partition(f"{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE).group()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_first_command_is_the_demo_and_the_second_the_tests():
    first, second = blocks("bash")[:2]
    assert (first, second) == ("make demo\n", "make test\n")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_every_make_target_is_there(target):
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=30)


@pytest.mark.skipif(not HAS_RETRY_POLICY, reason="retry policies came with Airflow 3.3")
def test_the_policy_works_on_a_plain_task():
    with DAG("readme", schedule=None) as dag:
        exec(blocks("python")[3] + "cover()", {})
    assert dag.get_task("cover").retry_policy.wait_for_credits.total_seconds() == 6 * 60 * 60


def test_the_connection_in_the_environment_is_one(monkeypatch):
    (line,) = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("export ")]
    name, _, value = shlex.split(line)[1].partition("=")
    assert name == f"AIRFLOW_CONN_{TaleCraftHook.default_conn_name.upper()}"
    monkeypatch.setenv(name, value)
    assert TaleCraftHook().settings.api_key == "YOUR_API_KEY"


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__)
def test_the_tables_of_parameters_are_the_signatures(operator):
    signature = inspect.signature(operator.__init__)
    parameters = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    rows = rows_after(f"### {operator.__name__}")
    assert [row[0].strip("`") for row in rows] == list(parameters)
    for name, default, text in rows:
        expected = parameters[name.strip("`")]
        spelled = "TaleCraftRetryPolicy()" if expected is DEFAULT_POLICY else repr(expected).replace("'", '"')
        assert default == ("" if expected is inspect.Parameter.empty else f"`{spelled}`")
        assert ("templated" in text) == (name.strip("`") in operator.template_fields)


def test_the_batchs_limits_are_the_codes():
    rows = {row[0].strip("`"): row[2] for row in rows_after("### GenerateIllustrationBatchOperator")}
    assert rows["max_concurrency"].endswith(f"else {DEFAULT_MAX_CONCURRENCY}")
    assert rows["requests_per_minute"].endswith(f"else {DEFAULT_REQUESTS_PER_MINUTE}")


def test_the_ratios_are_all_named():
    text = next(row for row in rows_after("### GenerateIllustrationOperator") if row[0] == "`aspect_ratio`")[2]
    assert tuple(re.findall(r"\d+:\d+", text)) == ASPECT_RATIOS


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__)
def test_the_fields_that_are_returned_are_those_of_the_docstring(operator):
    section = README.partition(f"### {operator.__name__}\n")[2]
    returned = re.search(r"It returns `(\{.*?\})`", section).group(1)
    assert returned in " ".join(operator.__doc__.split())


def test_the_connections_defaults_are_the_codes():
    defaults = {row[0]: row[1].strip("`") for row in rows_after("### The connection")}
    assert defaults["host"] == DEFAULT_BASE_URL
    assert float(defaults["extra `connect_timeout`"]) == settings.DEFAULT_CONNECT_TIMEOUT
    assert float(defaults["extra `read_timeout`"]) == settings.DEFAULT_READ_TIMEOUT
    named = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in rows_after("### The connection"))))
    assert named == {*settings.ConnectionSettings.__dataclass_fields__, "allow_http"} - {"api_key", "base_url"}


def error_rows():
    return rows_after("## When something goes wrong")


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
        assert row[3] == f"retries after {decisions[0].retry_delay.seconds} s while a replay is left, else stops"
    elif decisions[0].action is RetryAction.FAIL:
        assert row[3].startswith("stops")
    elif decisions[0].action is RetryAction.DEFAULT:
        assert row[3] == "is Airflow's to retry"
    else:
        seconds = [str(decision.retry_delay.seconds) for decision in decisions]
        assert re.findall(r"(\d+) s", row[3]) == sorted(set(seconds), key=int)


@pytest.mark.parametrize(("prefix", "error"), [(prefix, error) for prefix, error, _ in protocol.MESSAGES])
def test_the_error_table_names_every_message(prefix, error):
    (row,) = [row for row in error_rows() if row[0].strip("`") == error.__name__]
    assert prefix in row[1]


def test_the_limits_of_the_hooks_retries_are_the_codes():
    assert RETRY_FOR == 60
    assert "at most a minute" in README
    assert f"`Retry-After` of at most {SHORT_RETRY_AFTER:.0f} s" in README


def test_the_sandbox_starts_by_the_command():
    (command,) = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("python -m ")]
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[1:], "--help"], check=True, capture_output=True, text=True, timeout=30
    )
    assert "--latency" in done.stdout


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_to_a_file_leads_to_one(path):
    assert (ROOT / path).exists()


def test_the_operators_are_operators():
    assert all(issubclass(operator, BaseOperator) for operator in OPERATORS)

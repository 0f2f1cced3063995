"""Drawing into a folder as a task does, without Airflow around it; each call is a task instance of its own."""

from __future__ import annotations

import inspect
import json
from itertools import count
from pathlib import Path
from types import SimpleNamespace

from airflow.providers.common.compat.sdk import AirflowFailException
from state_store import TaskInstance

from airflow_provider_talecraft.exceptions import TaleCraftError
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator, IllustrationOperator

#: What a task fails with: below Airflow 3.3, or without a policy, the second where no retry would help.
FAILURES = (TaleCraftError, AirflowFailException)
_runs = count()


def another_run(**fields):
    """Return a task instance of a run that nobody has seen."""
    return TaskInstance(run_id=f"run-{next(_runs)}", **fields)


def draw(dst, prompt="A fox", *, ti=None, **options):
    """Run the operator; by default in a run of its own, where no task state store knows anything."""
    dst = f"file://{dst}/" if isinstance(dst, Path) else dst
    operator = IllustrationOperator(task_id="t", prompt=prompt, dst=dst, **options)
    # Airflow 2.11 wraps it in a check that works in the main thread only.
    return inspect.unwrap(IllustrationOperator.execute)(operator, {"ti": ti or another_run()})


def draw_batch(dst, prompts, *, ti=None, **options):
    """Run the batch operator likewise."""
    operator = GenerateIllustrationBatchOperator(
        task_id="t", prompts=prompts, dst=f"file://{dst}/", requests_per_minute=60_000, **options
    )
    return operator.execute({"ti": ti or another_run()})


def prompts_of(sandbox):
    """Return the prompts that were charged, in order."""
    return [charge["prompt"] for charge in sandbox.ledger()["charges"]]


def requests_of(sandbox):
    """Return how many requests have reached the sandbox, charged or not."""
    return len(sandbox.ledger()["requests"])


def receipt(path):
    return json.loads(path.read_text())


def edit(path, **changes):
    """Change a receipt as a person may; None takes a fact away."""
    facts = receipt(path) | changes
    path.write_text(json.dumps({name: value for name, value in facts.items() if value is not None}))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def asked(prompt="A fox", *, busy_for=-1.0, ti=None):
    """Return the receipt of a worker that was killed while its request was on its way."""
    from airflow_provider_talecraft.api.models import IllustrationRequest
    from airflow_provider_talecraft.spending.claims import moment_in
    from airflow_provider_talecraft.spending.record import fingerprint

    request = IllustrationRequest(prompt).payload()
    ti = ti or SimpleNamespace(dag_id="dead", task_id="dead", run_id="dead", map_index=-1)
    facts = {
        "talecraft_receipt": 1, "state": "asked", "fingerprint": fingerprint(request), **request,
        "fallback_prompts": [], "credits": 0, "replays": 0, "unanswered": ["2026-01-02T03:04:05+00:00"], "requests": 1,
        "dag_id": ti.dag_id, "task_id": ti.task_id, "run_id": ti.run_id, "map_index": ti.map_index, "max_tries": 4,
        "busy_until": moment_in(busy_for),
    }  # fmt: skip
    return json.dumps(facts)


def killed_while_asking(path, **options):
    """Leave such a receipt at *path*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(asked(**options))

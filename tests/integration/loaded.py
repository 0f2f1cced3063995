"""What a process that others are forked from has loaded before: Airflow, and the API that ``dag.test()`` asks."""

from __future__ import annotations

from importlib import import_module

for name in (
    "airflow.models.dagbag",
    "airflow_provider_talecraft.operators.illustration",
    "airflow_provider_talecraft.operators.generate_illustration_batch",
):
    import_module(name)

try:
    supervisor = import_module("airflow.sdk.execution_time.supervisor")
except ImportError:  # Airflow 2
    pass
else:
    import_module("airflow.sdk.execution_time.task_runner")
    # Its models take longer than all imports together.
    _ = supervisor.in_process_api_server().app

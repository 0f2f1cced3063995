"""A picture for every product of a PostgreSQL table that has none yet.

It costs 2 credits for each new row. Run again, it pays for new rows only; without new rows it is skipped. It draws in
one task, at the pace of the connection's ``requests_per_minute`` and ``max_concurrency``. A run that fails in the
middle pays for nothing twice: each picture has a receipt beside it.

Needs ``pip install apache-airflow-providers-postgres``, the connection ``catalogue_default`` and this table::

    CREATE TABLE products (sku text PRIMARY KEY, description text NOT NULL, picture text)
"""

from __future__ import annotations

import os
from typing import Any

from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, BaseHook, task

from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator

#: Where the examples store, unless a run says otherwise.
DESTINATION = os.environ.get("TALECRAFT_EXAMPLES", "file:///tmp/talecraft")

CATALOGUE = "catalogue_default"
#: A plan of 100 pictures a day; the rest comes with the next runs.
WITHOUT_PICTURE = "SELECT sku, description FROM products WHERE picture IS NULL ORDER BY sku LIMIT 100"
#: Somebody may have changed the row meanwhile: then its picture is drawn anew by the next run.
SET_PICTURE = "UPDATE products SET picture = %s WHERE sku = %s AND description = %s"

with DAG(
    dag_id="talecraft_catalogue",
    schedule=None,
    params={"destination": f"{DESTINATION}/catalogue"},
    # Two runs at the same time would find the same rows.
    max_active_runs=1,
    tags=["talecraft", "example"],
    doc_md=__doc__,
):

    @task
    def rows_without_picture() -> list[dict[str, str]]:
        """Return a key and a prompt for each; they are data, never SQL and never a template."""
        rows = BaseHook.get_hook(CATALOGUE).get_records(WITHOUT_PICTURE)
        if not rows:
            raise AirflowSkipException("Every product has its picture: nothing to do.")
        return [{"key": sku, "prompt": description} for sku, description in rows]

    draw = GenerateIllustrationBatchOperator(
        task_id="draw",
        prompts=rows_without_picture(),
        dst="{{ params.destination }}/",
        # What could not be drawn has no picture afterwards, and the next run tries again.
        on_partial_failure="keep",
    )

    @task
    def write_back(drawn: list[dict[str, Any]]) -> int:
        """Write the paths in one transaction: all of them, or none. Return how many."""
        paths = [(picture["path"], picture["key"], picture["prompt"]) for picture in drawn if "path" in picture]
        hook = BaseHook.get_hook(CATALOGUE)
        with hook.get_conn() as connection, connection.cursor() as cursor:
            cursor.executemany(SET_PICTURE, paths)
        return len(paths)

    write_back(draw.output)

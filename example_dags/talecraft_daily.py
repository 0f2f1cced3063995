"""A picture of the day: one a day, whatever is run again.

Each day costs 2 credits, once: a clear, a second click on Trigger or a backfill finds the day's picture and pays
nothing. Unpause it, or trigger it. The past is drawn with
``airflow backfill create --dag-id talecraft_daily --from-date 2026-01-01 --to-date 2026-01-10`` (Airflow 3).
Every picture is an event of the asset ``talecraft_picture_of_the_day``. ``talecraft_daily_page`` is scheduled on it.
"""

from __future__ import annotations

import os
from datetime import datetime
from html import escape
from typing import Any

from airflow.providers.common.compat.sdk import DAG, Asset, ObjectStoragePath, task

from airflow_provider_talecraft.operators.illustration import IllustrationOperator

#: Where the examples store, unless a run says otherwise.
DESTINATION = os.environ.get("TALECRAFT_EXAMPLES", "file:///tmp/talecraft")

PICTURE = Asset("talecraft_picture_of_the_day")
#: The day on which a run is due. ``ds`` is the day before on Airflow 2, and missing where somebody triggers Airflow 3.
DAY = "{{ (dag_run.data_interval_end or dag_run.run_after) | ds }}"

with DAG(
    dag_id="talecraft_daily",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001  # as Airflow reads it, in UTC
    catchup=False,
    params={"destination": f"{DESTINATION}/daily"},
    tags=["talecraft", "example"],
    doc_md=__doc__,
):
    IllustrationOperator(
        task_id="draw",
        prompt=f"A fox watches the sun rise on {DAY}",
        aspect_ratio="16:9",
        dst="{{ params.destination }}/",
        name=DAY,
        outlets=[PICTURE],
    )

with DAG(
    dag_id="talecraft_daily_page",
    schedule=[PICTURE],
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001  # as Airflow reads it, in UTC
    catchup=False,
    tags=["talecraft", "example"],
    doc_md=__doc__,
):

    @task(inlets=[PICTURE])
    def page(inlet_events: Any) -> str:
        """Write ``index.html`` with the latest picture beside it, and return its path."""
        picture = inlet_events[PICTURE][-1].extra
        folder, _, file = picture["path"].rpartition("/")
        index = ObjectStoragePath(f"{folder}/index.html")
        index.write_text(f'<!doctype html><img src="{escape(file)}" alt=""><p>{escape(picture["prompt"])}</p>')
        return str(index)

    page()

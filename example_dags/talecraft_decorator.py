"""A function for a prompt: one postcard for each city, drawn once.

It costs 2 credits a city, once: run again, it pays for new cities only. What the function returns is data: a city
called ``{{ ds }}`` is drawn as it is written.
"""

from __future__ import annotations

import os
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

#: Where the examples store, unless a run says otherwise.
DESTINATION = os.environ.get("TALECRAFT_EXAMPLES", "file:///tmp/talecraft")

with DAG(
    dag_id="talecraft_decorator",
    schedule=None,
    params={
        "cities": ["Lisbon", "Chengdu", "Tromsø"],
        "destination": f"{DESTINATION}/postcards",
    },
    tags=["talecraft", "example"],
    doc_md=__doc__,
):

    @task
    def cities(params: dict[str, Any]) -> list[str]:
        """Return the cities; anything that reads a table or a bucket does as well."""
        return list(params["cities"])

    @task.illustration(dst="{{ params.destination }}/", aspect_ratio="3:2", retries=3)
    def postcard(city: str) -> dict[str, str]:
        """Return what is drawn, and what its file is called."""
        return {"prompt": f"A postcard from {city}, with a fox who is on holiday there", "name": city}

    postcard.expand(city=cities())

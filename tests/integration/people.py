"""SimpleAuthManager knows roles only; in these tests some people may read some Dags."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

GUEST = "guest"
OPEN_TO_THE_GUEST = "talecraft_pages_hostile"
SECRET = "talecraft_secret"
#: Everybody else may read what their role may.
MAY_READ = {
    GUEST: lambda dag_id: dag_id == OPEN_TO_THE_GUEST,
    "author": lambda dag_id: dag_id != SECRET,
    "stranger": lambda dag_id: dag_id == SECRET,
}


class People(SimpleAuthManager):
    """Airflow asks it for each Dag; without one in ``details``, for the right to see any."""

    def is_authorized_dag(self, *, method, user, access_entity=None, details=None):
        dag_id = details.id if details else None
        if dag_id is not None and user.username in MAY_READ and not MAY_READ[user.username](dag_id):
            return False
        return super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)

"""SimpleAuthManager knows roles only; in these tests ``author`` has no right to one Dag, ``stranger`` to no other."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

SECRET = "talecraft_secret"


class People(SimpleAuthManager):
    """Airflow asks it for each Dag; without one in ``details``, for the right to see any."""

    def is_authorized_dag(self, *, method, user, access_entity=None, details=None):
        secret = details is not None and details.id == SECRET
        if (user.username == "author" and secret) or (user.username == "stranger" and details and not secret):
            return False
        return super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)

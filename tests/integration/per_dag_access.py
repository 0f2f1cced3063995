"""SimpleAuthManager knows roles only; this one also keeps ``guest`` away from every Dag of these tests but one."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

GUEST = "guest"
OPEN_TO_THE_GUEST = "talecraft_pages_hostile"


class PerDagAccess(SimpleAuthManager):
    """Airflow asks it for each Dag; without one in ``details``, for the right to see any."""

    def is_authorized_dag(self, *, method, user, access_entity=None, details=None):
        if user.username == GUEST and details and details.id not in {None, OPEN_TO_THE_GUEST}:
            return False
        return super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)

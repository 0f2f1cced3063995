"""An Airflow with its pages, people who log in to it, and a browser that they look with."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

from deployment import Deployment
from patience import PATIENCE
from people import GUEST

ADMIN = "admin"
PASSWORD = "a password of these tests"
PATH = "/airflow"
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


class AirflowWithPeople(Deployment):
    """An Airflow below a path, with logins: ``admin``, and ``guest``, who may read one Dag only."""

    def __init__(self, home, dags, environment=(), path=PATH):
        passwords = home / "passwords.json"
        passwords.write_text(json.dumps(dict.fromkeys((ADMIN, GUEST), PASSWORD)))
        people = {
            "AIRFLOW__CORE__AUTH_MANAGER": "people.People",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin,{GUEST}:viewer",
        }
        super().__init__(home, dags, {**people, **dict(environment)}, path)
        here = str(Path(__file__).parent)
        before = self.environment.get("PYTHONPATH")
        self.environment["PYTHONPATH"] = f"{here}:{before}" if before else here

    def token_of(self, name):
        """Log somebody in."""
        body = json.dumps({"username": name, "password": PASSWORD}).encode()
        request = Request(f"{self.url}/auth/token", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["access_token"]

    def _token(self):
        return self.token_of(ADMIN)

    def page(self, name, **parameters):
        """Return the address of one of our pages."""
        query = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in parameters.items())
        return f"{self.url}/talecraft/{name}?{query}"

    def tab(self, dag_id, run_id, task_id=None, map_index=None):
        """Return the address at which Airflow shows our tab of a run, or of a task."""
        run = f"{self.url}/dags/{dag_id}/runs/{quote(run_id)}"
        if task_id is None:
            return f"{run}/plugin/talecraft_illustrations"
        mapped = "" if map_index is None else f"/mapped/{map_index}"
        return f"{run}/tasks/{task_id}{mapped}/plugin/talecraft_illustration"

    def cookie(self, name):
        """Return what a browser carries once somebody has logged in."""
        return {
            "name": "_token",
            "value": self.token_of(name),
            "domain": "127.0.0.1",
            "path": "/",
            "httpOnly": True,
            "sameSite": "Lax",
        }

"""A whole Airflow 3 of a test's own: API server, scheduler with LocalExecutor, Dag processor; SQLite, free port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from cryptography.fernet import Fernet
from migrated import migrated
from patience import PATIENCE, until
from watcher import Watcher

#: Seconds for one answer; a question without one is asked again.
ANSWER_LIMIT = 60


class Deployment:
    """Started by ``with``; ended with all its processes. Dags are read from *dags*, connections from *environment*.

    :param home: the AIRFLOW_HOME, an empty folder.
    :param path: what Airflow's addresses begin with, such as "/airflow".
    """

    def __init__(self, home, dags, environment=(), path=""):
        self.home = home
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as free:
            log_port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{path}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self.environment = {
            **inherited,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__API__BASE_URL": f"{self.url}/" if path else "",
            "AIRFLOW__API__SECRET_KEY": "not-a-secret-outside-this-test",
            "AIRFLOW__API_AUTH__JWT_SECRET": "not-a-secret-outside-this-test-either",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": str(PATIENCE),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            # As in every Airflow that was set up as documented: passwords are not stored as they are typed.
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": str(PATIENCE),
            # A file is read again when it has changed.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            # A dead scheduler is noticed in half a minute; one that is only slow is not taken for dead.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
            # The API server's first answer to a task takes longer than the 5 s that are the default, if it is busy.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": str(ANSWER_LIMIT),
            "PYTHONUNBUFFERED": "1",
            **dict(environment),
        }
        self.processes = {}
        self.sessions = set()

    def __enter__(self):
        self._watcher = Watcher()
        if "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in self.environment:
            self.airflow("db", "migrate")
        else:
            migrated(self.home)
        for name in ("api-server", "scheduler", "dag-processor"):
            self.start(name)
        self.until(self._is_healthy, "Airflow did not come up")
        self.token = self._token()
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.stop(name)
        self._watcher.close()  # tasks are in groups of their own

    def start(self, name):
        """Start one of Airflow's processes in a group of its own; what it prints is in ``NAME.log``."""
        arguments = {
            "api-server": ["--host", "127.0.0.1", "--port", str(self.port)],
            # Their log servers listen on every address.
            "scheduler": ["--skip-serve-logs"],
            "triggerer": ["--skip-serve-logs"],
        }.get(name, [])
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", name, *arguments],
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.sessions.add(self.processes[name].pid)
        self._watcher.watch(self.processes[name].pid)

    def stop(self, name, *, number=signal.SIGTERM):
        """End one of Airflow's processes and all that it started."""
        process = self.processes.pop(name)
        for signal_number in (number, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, signal_number)
                process.wait(15)

    def airflow(self, *arguments):
        """Run an ``airflow`` command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def api(self, path, body=None, method=None):
        """Call Airflow's REST API and return the answer's JSON."""
        request = Request(
            f"{self.url}/api/v2{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        for last in (False, False, True):
            try:
                with urlopen(request, timeout=ANSWER_LIMIT) as answer:
                    return json.loads(answer.read() or b"null")
            except OSError as error:  # an HTTPError is one too
                # SQLite is busy at times; a question may be asked again, and what is asked for may not.
                if getattr(error, "code", 500) != 500 or request.get_method() != "GET" or last:
                    raise
                time.sleep(1)  # longer than any of Airflow's transactions
        return None

    def unpause(self, dag_id):
        """Let a Dag run, once it is known."""

        def known():
            with suppress(HTTPError):
                return self.api(f"/dags/{dag_id}", {"is_paused": False}, method="PATCH")
            return None

        self.until(known, f"{dag_id} did not appear: {self.api('/importErrors')}")

    def trigger(self, dag_id, conf=None):
        """Start a run of a Dag, once the Dag is known, and return its id."""
        self.unpause(dag_id)
        return self.api(f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf or {}})["dag_run_id"]

    def wait(self, dag_id, run_id):
        """Wait for the end of a run and return its state."""

        def ended():
            state = self.api(f"/dags/{dag_id}/dagRuns/{quote(run_id)}")["state"]
            return state if state in {"success", "failed"} else None

        return self.until(ended, f"{dag_id} {run_id} did not end")

    def run(self, dag_id, conf=None):
        """Run a Dag to its end; return its run id and its state."""
        run_id = self.trigger(dag_id, conf)
        return run_id, self.wait(dag_id, run_id)

    def task_instances(self, dag_id, run_id):
        """Return the run's task instances by task id and map index."""
        answer = self.api(f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances?limit=1000")
        return {(ti["task_id"], ti["map_index"]): ti for ti in answer["task_instances"]}

    def xcom(self, dag_id, run_id, task_id, key="return_value", map_index=-1):
        """Return an XCom's value."""
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.api(f"{path}?map_index={map_index}&deserialize=true")["value"]

    def logs(self, dag_id=""):
        """Return everything that tasks logged."""
        return "\n".join(path.read_text() for path in self.home.glob(f"logs/**/*{dag_id}*/**/*.log"))

    def until(self, condition, message):
        """Wait until *condition* returns something true, and return it; all processes must live meanwhile."""

        def look():
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended:\n{(self.home / f'{name}.log').read_text()[-3000:]}"
            return condition()

        return until(look, message, pause=0.5)

    def _token(self):
        with urlopen(f"{self.url}/auth/token", timeout=ANSWER_LIMIT) as answer:
            return json.load(answer)["access_token"]

    def _is_healthy(self):
        with suppress(URLError, ConnectionError, TimeoutError, KeyError):
            with urlopen(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:
                health = json.load(answer)
            return all(health[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))
        return False

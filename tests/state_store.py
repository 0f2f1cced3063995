"""A stand-in for Airflow's task state store, and for the task instance that it belongs to."""

from __future__ import annotations

import json
import threading
import time


class Store:
    """A task state store that, like Airflow's, keeps JSON through retries and clears."""

    def __init__(self):
        self.values = {}
        self.broken = False
        self.reads = self.writes = 0
        self._in_use = threading.Lock()

    def get(self, key, default=None):
        with self._alone():
            time.sleep(0.0005)
            self.reads += 1
            return json.loads(self.values[key]) if key in self.values else default

    def set(self, key, value, *, retention=None):
        with self._alone():
            time.sleep(0.0005)
            if self.broken:
                raise ConnectionError("the API server is gone")
            self.writes += 1
            self.values[key] = json.dumps(value)

    def read(self):
        """Return everything that is kept."""
        return {key: json.loads(value) for key, value in self.values.items()}

    def entries(self):
        """Return the records of a batch's illustrations by key."""
        return {name: entry for page in self.read().values() for name, entry in page.get("illustrations", {}).items()}

    def edit(self, name, **changes):
        """Change a record as a person may, on the page where it stands."""
        for key, page in self.read().items():
            if name in page.get("illustrations", {}):
                page["illustrations"][name] |= changes
                self.set(key, page)

    def _alone(self):
        # Under dag.test() Airflow's own store is not made for threads.
        assert not self._in_use.locked(), "two threads use the store at a time"
        return self._in_use


class TaskInstance:
    """As much of a task instance as the operators ask for."""

    dag_id = "d"
    task_id = "t"
    map_index = -1

    def __init__(self, try_number=1, max_tries=3, run_id="r"):
        self.try_number = try_number
        self.max_tries = max_tries
        self.run_id = run_id
        self.pushed = {}

    def xcom_push(self, key, value):
        self.pushed[key] = value

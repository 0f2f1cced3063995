"""A stand-in for Airflow's Variables, as far as the spend limit asks for them."""

from __future__ import annotations

import threading
import time


class Variables:
    """Variables that, like Airflow's, many may write at a time; ``broken`` names the methods that fail."""

    def __init__(self):
        self.values = {}
        self.broken = set()
        self.hidden = False
        self.asked = 0
        self._lock = threading.Lock()

    def set(self, key, value, description):
        self._ask("set")
        with self._lock:
            self.values[key] = value

    def delete(self, key):
        self._ask("delete")
        with self._lock:
            self.values.pop(key, None)

    def keys(self, prefix):
        self._ask("keys")
        if self.hidden:
            return []
        with self._lock:
            # As a database that does not know large letters from small ones, and takes "_" for any character.
            pattern = prefix.casefold()
            return [key for key in self.values if len(key) >= len(prefix) and _like(key.casefold(), pattern)]

    def _ask(self, method):
        time.sleep(0.001)
        self.asked += 1
        if method in self.broken:
            raise ConnectionError("the API server is gone")

    def stand_in(self, monkeypatch):
        from airflow_provider_talecraft.spending import limit

        monkeypatch.setattr(limit, "set_variable", self.set)
        monkeypatch.setattr(limit, "delete_variable", self.delete)
        monkeypatch.setattr(limit, "variable_keys", self.keys)
        return self


def _like(key, pattern):
    return all(wanted in {"_", found} for found, wanted in zip(key, pattern, strict=False))

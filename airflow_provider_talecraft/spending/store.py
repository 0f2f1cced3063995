"""Where records of what was paid are kept, for threads and for Airflow without a task state store."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.pictures.place import ObjectLocation

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow.providers.common.compat.sdk import ObjectStoragePath


def safe_key(name: str) -> str:
    """Return *name* as a key that every store takes, and that no other name has.

    Airflow's store takes up to 512 characters, of a set that depends on its database, as a part of a URL; a folder
    takes fewer, and may not tell capitals apart. A name of up to 64 of ``a-z 0-9 _ -`` is a key as it stands; of any
    other, a legible rest and a digest are.
    """
    if re.fullmatch(r"[a-z0-9_-]{1,64}", name):
        return name
    rest = re.sub(r"[^a-z0-9_-]+", "-", name.casefold())[:40].strip("-")
    return f"{rest}.{hashlib.sha256(name.encode()).hexdigest()[:32]}"


class OneAtATime:
    """A store for several threads. Under ``dag.test()`` Airflow's own is not made for them."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """Return the value, None if there is none."""
        with self._lock:
            return self._store.get(key)

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        """Keep *value*."""
        with self._lock:
            self._store.set(key, value, retention=retention)


class RecordFolder:
    """A store in a folder, one small JSON file per key, each whole or not there.

    :param folder: where; made when it is needed.
    """

    def __init__(self, folder: ObjectStoragePath) -> None:
        self._folder = folder

    def place(self, key: str) -> str:
        """Return where a person finds the record."""
        return f"the file {self._folder / f'{key}.json'}"

    def get(self, key: str) -> Any:
        """Return the value, None if there is none; what is no JSON is returned as text."""
        path = self._folder / f"{key}.json"
        try:
            content = path.fs.cat_file(path.path)
        except FileNotFoundError:
            return None
        with suppress(ValueError):
            return json.loads(content)
        return content.decode(errors="replace")

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:  # noqa: ARG002  # Airflow's
        """Keep *value* until somebody deletes the file."""
        ObjectLocation(self._folder / f"{key}.json").put(json.dumps(value).encode(), content_type="application/json")

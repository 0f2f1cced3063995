"""Where records of what was paid are kept: in Airflow's task state store, or in files where it has none."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.pictures.place import ObjectLocation
from airflow_provider_talecraft.version_compat import NEVER_EXPIRE

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

#: The store's key; a task that asks more than once adds to it.
KEY = "talecraft"
#: Where a person finds Airflow's store.
STORAGE = "Storage > Task State Store of this task instance"
#: Entries of a page, and bytes of JSON: Airflow warns of a value over 64 KB.
PAGE_ENTRIES = 64
PAGE_BYTES = 60_000
#: Held while Airflow is asked for something by one of several threads: under dag.test() it is not made for that.
ASKING_AIRFLOW = threading.Lock()


class Keeper(Protocol):
    """Keeps one record."""

    @property
    def place(self) -> str:
        """Where a person finds it, for messages."""

    def load(self) -> Any:
        """Return what is kept, None if there is nothing."""

    def begin(self, entry: dict[str, Any]) -> None:
        """Keep *entry* before its request is sent; what is raised here keeps it from being sent."""

    def save(self, entry: dict[str, Any]) -> None:
        """Keep *entry*."""


class StateKey:
    """A record under a key of its own.

    :param store: Airflow's ``context["task_state_store"]``, or a :class:`RecordFolder`.
    :param key: the key.
    """

    def __init__(self, store: Any, key: str = KEY) -> None:
        self._store = store
        self._key = key
        self.place = _place(store, key)

    @classmethod
    def of(cls, context: Any, key: str = KEY) -> StateKey | None:
        """Return the keeper of the running task instance; None below Airflow 3.3, and outside a task."""
        store = context.get("task_state_store")
        return None if store is None else cls(store, key)

    def load(self) -> Any:
        return self._store.get(self._key)

    def save(self, entry: dict[str, Any]) -> None:
        self._store.set(self._key, entry, retention=NEVER_EXPIRE)

    begin = save


class Pages:
    """The records of many requests, many to a value: a later try reads a value for each 64, not for each one.

    Several threads may use it. An entry is written where it was before; one that has outgrown its page moves on.

    :param store: as above; read here, and only here.
    :raises AirflowFailException: if a page cannot be read.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        #: JSON of the pages: a fraction of what its objects take.
        self._texts: list[str] = []
        self._number: dict[str, int] = {}
        self._open: tuple[int, dict[str, Any]] = (-1, {})
        while (page := store.get(_page_key(len(self._texts)))) is not None:
            entries = page.get("illustrations") if isinstance(page, dict) else None
            if not isinstance(entries, dict):
                raise AirflowFailException(
                    "Records of what was paid cannot be read: nothing was sent. Look at "
                    f"{_place(store, _page_key(len(self._texts)))}. Without it, its pictures are paid for again."
                )
            # A later page is the newer one.
            self._number |= dict.fromkeys(entries, len(self._texts))
            self._texts.append(json.dumps(entries))

    def keeper(self, name: str) -> PageEntry:
        """Return the keeper of the record called *name*."""
        return PageEntry(self, name)

    def place(self, name: str) -> str:
        """Return where a person finds the record called *name*."""
        return f"the entry {name!r} in {_place(self._store, _page_key(self._number.get(name, len(self._texts))))}"

    def load(self, name: str) -> Any:
        with ASKING_AIRFLOW:
            number = self._number.get(name)
            return None if number is None else self._page(number)[name]

    def save(self, name: str, entry: dict[str, Any]) -> None:
        with ASKING_AIRFLOW:
            number = self._number.get(name)
            if number is None or not self._write(number, name, entry):
                last = max(len(self._texts) - 1, 0)
                if number == last or not self._write(last, name, entry):
                    self._write(len(self._texts), name, entry)

    def _page(self, number: int) -> dict[str, Any]:
        if self._open[0] != number:
            self._open = (number, json.loads(self._texts[number]) if number < len(self._texts) else {})
        return self._open[1]

    def _write(self, number: int, name: str, entry: dict[str, Any]) -> bool:
        """Write *entry* on a page; return whether there is room for it."""
        entries = {**self._page(number), name: entry}
        text = json.dumps(entries)
        if len(entries) > 1 and (len(entries) > PAGE_ENTRIES or len(text) > PAGE_BYTES):
            return False
        self._store.set(_page_key(number), {"illustrations": entries}, retention=NEVER_EXPIRE)
        self._texts[number : number + 1] = [text]
        self._open = (number, entries)
        self._number[name] = number
        return True


class PageEntry:
    """A record among others."""

    def __init__(self, pages: Pages, name: str) -> None:
        self._pages = pages
        self._name = name

    @property
    def place(self) -> str:
        return self._pages.place(self._name)

    def load(self) -> Any:
        return self._pages.load(self._name)

    def save(self, entry: dict[str, Any]) -> None:
        self._pages.save(self._name, entry)

    begin = save


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

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:  # noqa: ARG002  # Airflow's
        """Keep *value* until somebody deletes the file."""
        ObjectLocation(self._folder / f"{key}.json").put(json.dumps(value).encode(), content_type="application/json")


def _page_key(number: int) -> str:
    return f"{KEY}-page-{number + 1}"


def _place(store: Any, key: str) -> str:
    return store.place(key) if isinstance(store, RecordFolder) else f"the key {key!r} under {STORAGE}"

"""What a batch keeps from one try to the next: a record per illustration, and one of the batch as a whole."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.spending.record import KEY, STORAGE, OnClear, SpendRecord, fingerprint
from airflow_provider_talecraft.spending.store import OneAtATime, RecordFolder, safe_key
from airflow_provider_talecraft.version_compat import NEVER_EXPIRE

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_talecraft.batch.prompts import Item

log = logging.getLogger(__name__)


class Records:
    """The records of one batch: in Airflow's task state store, else beside its manifest, else nowhere.

    :param context: the try's.
    :param talecraft_conn_id: a picture drawn over another connection is another picture.
    :param max_replays: of each illustration.
    :param on_clear: of each illustration.
    :param manifest: where the manifest is; the records are beside it where Airflow has no store.
    :raises AirflowFailException: if the record of the batch cannot be read.
    """

    def __init__(
        self,
        context: Context,
        *,
        talecraft_conn_id: str,
        max_replays: int,
        on_clear: OnClear,
        manifest: ObjectStoragePath | None,
    ) -> None:
        self._talecraft_conn_id = talecraft_conn_id
        self._max_replays = max_replays
        self._on_clear = on_clear
        self._folder: RecordFolder | None = None
        store: Any = context.get("task_state_store")
        if store is None and manifest is not None:
            store = self._folder = RecordFolder(_folder_of(context["ti"], manifest))
        if store is None:
            log.warning("No record is kept: another try draws, and pays for, everything again. Set manifest_path.")
        self._store = None if store is None else OneAtATime(store)
        self._edition = Edition(self._store, max_tries=context["ti"].max_tries, place=self._place(KEY))

    def of(self, item: Item) -> SpendRecord:
        """Return the record of *item*.

        :raises AirflowFailException: if there is one that cannot be read.
        """
        key = f"{KEY}-{safe_key(item.key)}"
        return SpendRecord(
            self._store,
            key=key,
            fingerprint=fingerprint(self._talecraft_conn_id, item.request.payload()),
            max_tries=self._edition.number,
            max_replays=self._max_replays,
            on_clear=self._on_clear,
            place=self._place(key),
        )

    def complete(self) -> None:
        """Note that all pictures are there."""
        self._edition.complete()

    def _place(self, key: str) -> str:
        return self._folder.place(key) if self._folder else f"the key {key!r} under {STORAGE}"


class Edition:
    """Which pictures belong together, when the task is cleared.

    A clear of a single illustration's task means "draw it again". A batch that failed at its 58th picture is cleared to
    go on there: drawing the 57 again would pay for them again. So a clear begins a new edition only once the edition
    before it was complete.

    :param store: None keeps nothing beyond this try.
    :param max_tries: the task instance's; Airflow raises it when the task is cleared.
    :param place: where a person finds what is stored.
    :raises AirflowFailException: if what is stored cannot be read.
    """

    def __init__(self, store: OneAtATime | None, *, max_tries: int, place: str) -> None:
        self._store = store
        self._max_tries = max_tries
        stored = store.get(KEY) if store else None
        #: The task instance's max_tries when the edition began; a record of an earlier one is that of a cleared task.
        self.number, complete_at = (max_tries, None) if stored is None else _read(stored, place)
        if complete_at is not None and max_tries > complete_at:
            self.number, complete_at = max_tries, None
        self._save(complete_at)

    def complete(self) -> None:
        """Note that all its pictures are there: the next clear begins another one."""
        self._save(self._max_tries)

    def _save(self, complete_at: int | None) -> None:
        if self._store:
            value = {"edition": self.number, "complete_at": complete_at}
            self._store.set(KEY, value, retention=NEVER_EXPIRE)


def _read(stored: Any, place: str) -> tuple[int, int | None]:
    number, complete_at = (stored.get("edition"), stored.get("complete_at")) if isinstance(stored, dict) else ("", "")
    if isinstance(number, int) and (complete_at is None or isinstance(complete_at, int)):
        return number, complete_at
    raise AirflowFailException(
        f"The record of the batch cannot be read: nothing was sent. Look at {place}. Without it, a cleared task draws, "
        "and pays for, everything again."
    )


def _folder_of(ti: Any, manifest: ObjectStoragePath) -> ObjectStoragePath:
    """Return a folder that no other task instance uses, whatever else is written to the same manifest."""
    owner = json.dumps([ti.dag_id, ti.task_id, ti.run_id, ti.map_index])
    return manifest.parent / f"{manifest.name}.records" / hashlib.sha256(owner.encode()).hexdigest()[:16]

"""What a batch keeps from one try to the next: a record per illustration, and one of the batch as a whole."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError
from airflow_provider_talecraft.spending.metrics import Metrics
from airflow_provider_talecraft.spending.receipt import NAME
from airflow_provider_talecraft.spending.record import SpendRecord, fingerprint
from airflow_provider_talecraft.spending.store import Pages, RecordFolder, StateKey

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_talecraft.batch.prompts import Item, Items
    from airflow_provider_talecraft.policies.options import OnClear
    from airflow_provider_talecraft.spending.once import DrawOnce
    from airflow_provider_talecraft.spending.terms import Terms

log = logging.getLogger(__name__)


class Records:
    """The records of one batch: in Airflow's task state store, else beside its manifest, else nowhere.

    :param context: the try's.
    :param talecraft_conn_id: a picture drawn over another connection is another picture.
    :param max_replays: of each illustration.
    :param on_clear: of each illustration.
    :param manifest: where the manifest is; the records are beside it where Airflow has no store.
    :raises AirflowFailException: if the record of the batch, or a page of records, cannot be read.
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
        self._ti: Any = context["ti"]
        self._talecraft_conn_id = talecraft_conn_id
        self._max_replays = max_replays
        self._on_clear = on_clear
        self._metrics = Metrics(self._ti, talecraft_conn_id)
        store: Any = context.get("task_state_store")
        if store is None and manifest is not None:
            store = RecordFolder(_folder_of(self._ti, manifest))
        if store is None:
            log.warning("No record is kept: another try draws, and pays for, everything again. Set manifest_path.")
        self._edition = Edition(None if store is None else StateKey(store), max_tries=self._ti.max_tries)
        if store is not None and self._edition.is_new and self._ti.try_number > 1:
            log.warning("No record of an earlier try was found: what it drew is drawn, and paid for, again.")
        self._pages = None if store is None else Pages(store)

    def of(self, item: Item) -> SpendRecord:
        """Return the record of *item*.

        :raises AirflowFailException: if there is one that cannot be read.
        """
        return SpendRecord(
            self._pages.keeper(item.key) if self._pages else None,
            fingerprint=fingerprint(self._talecraft_conn_id, item.request.payload()),
            max_tries=self._ti.max_tries,
            try_number=1 if self._pages else self._ti.try_number,
            max_replays=self._max_replays,
            on_clear=self._on_clear,
            valid_since=self._edition.since,
            metrics=self._metrics,
        )

    def complete(self) -> None:
        """Note that all pictures are there."""
        self._edition.complete()


class Receipts:
    """The receipts of one batch, each beside its picture.

    :param items: all of it.
    :param terms: where the pictures go, and under which conditions.
    :param ti: the task instance.
    :raises TaleCraftInvalidRequestError: if two pictures have the same place; nothing is sent.
    """

    def __init__(self, items: Items, terms: Terms, ti: Any) -> None:
        self._terms = terms
        self._ti = ti
        seen: dict[str, Item] = {}
        for item in items:
            # Not every store tells capitals apart.
            other = seen.setdefault(_name(item).casefold(), item)
            if other is not item:
                raise TaleCraftInvalidRequestError(
                    f"{item} and {other} have the same place, {_name(item)!r}: nothing was sent. Give each a key."
                )

    def of(self, item: Item) -> DrawOnce:
        """Return what draws *item* into its place."""
        from airflow_provider_talecraft.spending.once import DrawOnce  # noqa: PLC0415  # loads requests

        return DrawOnce([item.request], self._terms, self._ti, name=_name(item))

    def complete(self) -> None:
        """Note nothing: each picture has its receipt."""


def _name(item: Item) -> str:
    """Return what the picture is called: as its key, else as the request's fingerprint."""
    from airflow_provider_talecraft.pictures.delivery import file_name_of  # noqa: PLC0415  # loads requests

    if item.key == str(item.index):
        return fingerprint(item.request.payload())[:NAME]
    return file_name_of(item.key)


class Edition:
    """Which pictures belong together, when the task is cleared.

    A clear of a single illustration's task means "draw it again". A batch that failed at its 58th picture is cleared to
    go on there: drawing the 57 again would pay for them again. So a clear begins a new edition only once the edition
    before it was complete.

    :param keeper: None keeps nothing beyond this try.
    :param max_tries: the task instance's; Airflow raises it when the task is cleared.
    :raises AirflowFailException: if what is kept cannot be read.
    """

    def __init__(self, keeper: StateKey | None, *, max_tries: int) -> None:
        self._keeper = keeper
        self._max_tries = max_tries
        kept = keeper.load() if keeper else None
        #: Whether no earlier try has left anything.
        self.is_new = kept is None
        #: The task instance's max_tries when the edition began; a record of an earlier one is that of a cleared task.
        self.since, complete_at = (max_tries, None) if kept is None or keeper is None else _read(kept, keeper.place)
        if complete_at is not None and max_tries > complete_at:
            self.since, complete_at = max_tries, None
        if kept is None or kept.get("since_max_tries") != self.since:
            self._save(complete_at)

    def complete(self) -> None:
        """Note that all its pictures are there: the next clear begins another one."""
        self._save(self._max_tries)

    def _save(self, complete_at: int | None) -> None:
        if self._keeper is None:
            return
        about = (
            "Not all pictures are there: a clear goes on with what is missing."
            if complete_at is None
            else 'All pictures are there: a clear draws all of them again, unless on_clear="reuse".'
        )
        self._keeper.save({"about": about, "since_max_tries": self.since, "complete_at_max_tries": complete_at})


def _read(kept: Any, place: str) -> tuple[int, int | None]:
    names = ("since_max_tries", "complete_at_max_tries")
    since, complete_at = (kept.get(name) for name in names) if isinstance(kept, dict) else ("", "")
    if type(since) is int and (complete_at is None or type(complete_at) is int):
        return since, complete_at
    raise AirflowFailException(
        f"The record of the batch cannot be read: nothing was sent. Look at {place}. Without it, a cleared task draws, "
        "and pays for, everything again."
    )


def _folder_of(ti: Any, manifest: ObjectStoragePath) -> ObjectStoragePath:
    """Return a folder that no other task instance uses, whatever else is written to the same manifest."""
    owner = json.dumps([ti.dag_id, ti.task_id, ti.run_id, ti.map_index])
    return manifest.parent / f"{manifest.name}.records" / hashlib.sha256(owner.encode()).hexdigest()[:16]

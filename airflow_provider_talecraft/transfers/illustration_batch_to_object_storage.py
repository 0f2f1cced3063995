"""IllustrationBatchToObjectStorageOperator: what a batch has drawn, into any object store, several at a time.

Dags import it from ``transfers.illustration_to_object_storage``, like its sibling.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_talecraft.batch.threads import WorkerThreads
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures.assets import add_to_asset_events
from airflow_provider_talecraft.policies.options import DEFAULT_CONN_ID, DEFAULT_MAX_BYTES, checked_count
from airflow_provider_talecraft.transfers.base import ToObjectStorage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_talecraft.batch.illustrations import Illustration, Illustrations
    from airflow_provider_talecraft.batch.manifest import Output
    from airflow_provider_talecraft.pictures.delivery import Delivery
    from airflow_provider_talecraft.policies.options import IfExists

log = logging.getLogger(__name__)

#: Pictures that are fetched and stored at a time.
DEFAULT_MAX_CONCURRENCY = 4
#: Results that go to XCom as they are: about 30 KB of JSON.
DEFAULT_MANIFEST_THRESHOLD = 100
#: Seconds between two lines of progress.
PROGRESS_INTERVAL = 5.0
#: How many pictures that were not stored a message names.
NAMED = 10


class IllustrationBatchToObjectStorageOperator(ToObjectStorage):
    """Fetch many pictures, check them and store them under one folder, each with a description beside it.

    Returns, in the order of ``illustrations``, a list of
    ``{"index", "key", "path", "size", "sha256", "content_type", "width", "height"}``; one that was not drawn, or not
    stored, has ``error`` in place of all behind ``key``. More than ``manifest_threshold`` of them go to
    ``manifest_path`` alone, and returned is a summary: ``{"path", "count", "stored", "failed", "not_drawn", "bytes",
    "manifest_path"}``, which the events of asset outlets carry in any case.

    Each picture is treated as by :class:`IllustrationToObjectStorageOperator`: another try leaves alone what stands.
    One that cannot be stored does not keep the others from it; the task fails when they are done, and names it. A store
    that does not answer ends all of it at once.

    :param illustrations: what ``GenerateIllustrationBatchOperator`` returned, a list or a summary with
        ``manifest_path``; or the output of mapped ``GenerateIllustrationOperator`` tasks (an XCom is resolved, text in
        it is never rendered). Entries with ``error`` are gone by.
    :param dst: URI of a folder (templated), ending in ``/``. A picture is named after its key or its
        index; of mapped tasks, which have neither, after its id.
    :param dst_conn_id: id of the store's connection (templated); None for the store's own default.
    :param if_exists: "skip_same", "overwrite" or "fail", for each picture.
    :param max_bytes: a larger picture is refused; 50 MiB by default.
    :param max_concurrency: how many are fetched and stored at a time.
    :param manifest_path: any ObjectStoragePath URI (templated) for the whole output as JSON Lines, written at the end.
    :param manifest_conn_id: id of the connection (templated) for that, and for the manifest of ``illustrations``.
    :param manifest_threshold: how many results at most are returned as a list.
    :param write_sidecar: whether ``<picture>.json`` is written beside each.
    :param image_hosts: hosts (templated) that need be neither public nor https; None for those of the connection.
    :param talecraft_conn_id: id of the TaleCraft connection (templated), whose own host is such a host too.
    :param retries: how often Airflow runs the task again; it is free. Mapped tasks below Airflow 3.3 have the Dag's.
    """

    template_fields: Sequence[str] = (
        "illustrations",
        "dst",
        "dst_conn_id",
        "manifest_path",
        "manifest_conn_id",
        "image_hosts",
        "talecraft_conn_id",
    )
    data_fields: ClassVar[frozenset[str]] = frozenset({"illustrations"})
    template_fields_renderers: ClassVar[dict[str, str]] = {"illustrations": "json"}
    ui_color = "#cfe3f1"
    operator_extra_links = ()  # of many pictures, none is the one to link to

    def __init__(
        self,
        *,
        illustrations: Sequence[Mapping[str, Any]] | Mapping[str, Any],
        dst: str,
        dst_conn_id: str | None = None,
        if_exists: IfExists = "skip_same",
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_concurrency: int = DEFAULT_MAX_CONCURRENCY,
        manifest_path: str | None = None,
        manifest_conn_id: str | None = None,
        manifest_threshold: int = DEFAULT_MANIFEST_THRESHOLD,
        write_sidecar: bool = True,
        image_hosts: Sequence[str] | str | None = None,
        talecraft_conn_id: str = DEFAULT_CONN_ID,
        retries: int = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            dst=dst,
            dst_conn_id=dst_conn_id,
            if_exists=if_exists,
            max_bytes=max_bytes,
            write_sidecar=write_sidecar,
            image_hosts=image_hosts,
            talecraft_conn_id=talecraft_conn_id,
            retries=retries,
            **kwargs,
        )
        self.illustrations = illustrations
        self.max_concurrency = checked_count("max_concurrency", max_concurrency)
        self.manifest_path = manifest_path
        self.manifest_conn_id = manifest_conn_id
        self.manifest_threshold = checked_count("manifest_threshold", manifest_threshold, at_least=0)
        self._storing: _Storing | None = None

    def execute(self, context: Context) -> list[dict[str, Any]] | dict[str, Any]:
        """Store what does not stand yet, and return where all of it lies.

        :raises TaleCraftDownloadError: if ``illustrations`` is wrong, and, once all others are stored, if some
            pictures could not be.
        :raises AirflowFailException: if ``dst`` is wrong, or places are taken with ``if_exists="fail"``.
        """
        from airflow_provider_talecraft.batch.illustrations import Illustrations  # noqa: PLC0415  # as above
        from airflow_provider_talecraft.batch.manifest import Output  # noqa: PLC0415  # with delivery, which loads requests

        if not str(self.dst).strip().endswith("/"):
            raise AirflowFailException(f"dst must be a folder and end in a slash, not {self.dst!r}.")
        delivery = self._delivery(context)
        illustrations = Illustrations(self.illustrations, manifest_conn_id=self.manifest_conn_id)
        manifest = self._manifest(len(illustrations))
        with Output(len(illustrations)) as output:
            storing = self._storing = _Storing(illustrations, delivery, output, threads=self.max_concurrency)
            storing.run()
            if manifest:
                manifest.write(output)
            storing.raise_unless_all_stand()
            summary = {"path": self.dst, **storing.summary()}
            if self.manifest_path:
                summary["manifest_path"] = self.manifest_path
            add_to_asset_events(context, self.outlets, self.dst, summary)
            return summary if len(illustrations) > self.manifest_threshold else output.entries()

    def on_kill(self) -> None:
        """Begin no further picture. Nothing partial stands anywhere, and another try goes on with what is missing."""
        if self._storing:
            self._storing.halt()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002  # theirs
        """Tell OpenLineage: from the generate endpoint to the folder."""
        from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook  # noqa: PLC0415  # not for a Dag's parsing
        from airflow_provider_talecraft.pictures.lineage import lineage  # noqa: PLC0415  # where it is installed

        summary = str(self._storing.summary()) if self._storing else ""
        return lineage(TaleCraftHook(self.talecraft_conn_id).service_url(), {self.dst.rstrip("/"): summary})

    def _manifest(self, count: int) -> Any:
        from airflow_provider_talecraft.batch.manifest import Manifest  # noqa: PLC0415  # loads its file systems
        from airflow_provider_talecraft.pictures.place import store_path  # noqa: PLC0415  # not for a Dag's parsing

        if self.manifest_path:
            manifest = Manifest(store_path(self.manifest_path.strip(), self.manifest_conn_id))
            manifest.check()
            return manifest
        if count > self.manifest_threshold:
            log.info("%d results are not returned one by one; set manifest_path to have them all", count)
        return None


class _Storing:
    """One try at storing a list: what becomes of each, and how many."""

    def __init__(self, illustrations: Illustrations, delivery: Delivery, output: Output, *, threads: int) -> None:
        self._count = len(illustrations)
        self._delivery = delivery
        self._output = output
        self._stored = self._failed = self._not_drawn = self._bytes = 0
        self._passing = False
        self._named: list[str] = []
        self._lock = threading.Lock()
        self._workers = WorkerThreads(illustrations, self._store, threads=min(threads, self._count))
        self._told_at = time.monotonic()

    def halt(self) -> None:
        self._workers.halt()

    def run(self) -> None:
        self._workers.run(self._tell)
        log.info("%s.", self)
        if self._workers.halted:
            raise AirflowException(f"The task was told to stop: {self}. What is stored stays.")

    def summary(self) -> dict[str, int]:
        return {
            "count": self._count,
            "stored": self._stored,
            "failed": self._failed,
            "not_drawn": self._not_drawn,
            "bytes": self._bytes,
        }

    def raise_unless_all_stand(self) -> None:
        if not self._failed:
            return
        others = f"; and {self._failed - len(self._named)} more" if self._failed > len(self._named) else ""
        message = f"{self._failed} of {self._count} pictures are not stored, the others are: " + "; ".join(self._named)
        if self._passing:
            raise TaleCraftDownloadError(message + others)
        raise AirflowFailException(message + others)

    def __str__(self) -> str:
        left = self._count - self._stored - self._failed - self._not_drawn
        return (
            f"{self._stored} of {self._count} pictures stand, {self._failed} failed, {self._not_drawn} were not drawn, "
            f"{left} left; {self._bytes / 1e6:.1f} MB"
        )

    def _store(self, illustration: Illustration, _: int) -> None:
        entry: dict[str, Any] = {"index": illustration.index, "key": illustration.key}
        passing = False
        try:
            if illustration.url:
                stored = self._delivery.store(illustration.url, illustration.facts, name=illustration.file)
                entry |= stored.facts()
            else:
                entry["error"] = f"not drawn: {illustration.error}"
        except TaleCraftDownloadError as error:
            entry["error"], passing = str(error), True
        except FileExistsError as error:
            entry["error"] = f"{error}, and if_exists is 'fail'"
        self._output.add(entry)
        with self._lock:
            if "path" in entry:
                self._stored += 1
                self._bytes += entry["size"]
            elif illustration.url:
                log.warning("%s: %s", illustration.key, entry["error"])
                self._failed += 1
                self._passing |= passing
                if len(self._named) < NAMED:
                    self._named.append(f"{illustration.key!r}: {entry['error']}")
            else:
                self._not_drawn += 1

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told_at >= PROGRESS_INTERVAL:
            self._told_at = now
            log.info("%s.", self)

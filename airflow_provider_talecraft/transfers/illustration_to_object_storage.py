"""IllustrationToObjectStorageOperator: from a picture's URL into any object store."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.pictures.assets import add_to_asset_events
from airflow_provider_talecraft.policies.options import DEFAULT_CONN_ID, DEFAULT_MAX_BYTES
from airflow_provider_talecraft.transfers.base import ToObjectStorage
from airflow_provider_talecraft.transfers.illustration_batch_to_object_storage import (
    IllustrationBatchToObjectStorageOperator,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_talecraft.pictures.delivery import Scalar, Stored
    from airflow_provider_talecraft.policies.options import IfExists

__all__ = ["IllustrationBatchToObjectStorageOperator", "IllustrationToObjectStorageOperator"]


class IllustrationToObjectStorageOperator(ToObjectStorage):
    """Fetch a picture, check it and store it, with a description beside it.

    Returns ``{"path", "size", "sha256", "content_type", "width", "height"}``, which the events of its asset outlets
    carry too, together with ``metadata``.

    The picture is streamed to a temporary local file, checked there, and put in its place as a whole: whatever goes
    wrong, nothing partial stands at ``dst``. Fetching and storing cost no credits, so retries are free.

    Which picture is said in one of two ways: ``illustration``, or ``image_url`` and, if there is something to say about
    it, ``metadata``.

    :param illustration: what ``GenerateIllustrationOperator`` returned, whole (an XCom is resolved, text in it is never
        rendered). Of mapped tasks: ``.expand(illustration=pages.output)``.
    :param image_url: URL of the picture (templated): https and on a public address, but for the hosts named below.
    :param dst: any ObjectStoragePath URI (templated), such as ``s3://bucket/book/`` or ``file:///tmp/book/cover.jpeg``.
        Ending in ``/`` it is a folder, and the file is named after the picture's id (``metadata["id"]``, else the last
        part of the URL), with the extension of its real type.
    :param dst_conn_id: id of the store's connection (templated); None for the store's own default.
    :param if_exists: what happens where something stands already. "skip_same" leaves the same picture alone, by its
        checksum, and replaces another; if the sidecar names the same URL, nothing is even fetched. "overwrite" always
        writes. "fail" fails the task, also if an earlier try of it was the one who stored.
    :param max_bytes: a larger picture is refused; 50 MiB by default, at least 1.
    :param metadata: flat facts about the picture (an XCom is resolved, text in it is never rendered): for the sidecar,
        the asset events and, up to 1.9 KB and percent-encoded, the object's own metadata.
    :param write_sidecar: whether ``<dst>.json`` is written beside the picture: ``metadata``, source, checksum, size,
        and which run stored it.
    :param image_hosts: hosts (templated), ``host`` or ``host:port``, that need be neither public nor https; None for
        those of the TaleCraft connection's extra ``image_hosts``. The connection's own host always is one.
    :param talecraft_conn_id: id of that connection (templated); it may be missing, and its key is not read.
    :param retries: how often Airflow runs the task again; it is free. Mapped tasks below Airflow 3.3 have the Dag's.
    """

    template_fields: Sequence[str] = (
        "illustration",
        "image_url",
        "dst",
        "dst_conn_id",
        "metadata",
        "image_hosts",
        "talecraft_conn_id",
    )
    data_fields: ClassVar[frozenset[str]] = frozenset({"illustration", "metadata"})
    ui_color = "#cfe3f1"

    def __init__(
        self,
        *,
        dst: str,
        illustration: Mapping[str, Scalar] | None = None,
        image_url: str | None = None,
        dst_conn_id: str | None = None,
        if_exists: IfExists = "skip_same",
        max_bytes: int = DEFAULT_MAX_BYTES,
        metadata: Mapping[str, Scalar] | None = None,
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
        if (illustration is None) == (image_url is None):
            raise ValueError("Give either illustration or image_url.")
        if illustration is not None and metadata is not None:
            raise ValueError("metadata goes with image_url; an illustration brings its own.")
        self.illustration = illustration
        self.image_url = image_url
        self.metadata = metadata
        self._stored: Stored | None = None

    def execute(self, context: Context) -> dict[str, str | int]:
        """Fetch, check, store; return where it lies and what it is.

        :raises TaleCraftDownloadError: if there is no picture at ``image_url``, or too large a one; ``dst`` is as it
            was before.
        :raises AirflowFailException: if ``dst`` or ``metadata`` is wrong, or taken with ``if_exists="fail"``.
        """
        image_url, metadata = self._picture()
        try:
            stored = self._delivery(context).store(image_url, metadata)
        except FileExistsError as error:
            raise AirflowFailException(f"{error}, and if_exists is 'fail': nothing was written.") from None
        self._stored = stored
        self.log.info(
            "%s: %s, %d x %d, %d bytes", stored.path, stored.content_type, stored.width, stored.height, stored.size
        )
        add_to_asset_events(context, self.outlets, stored.uri, {**metadata, **stored.facts()})
        return stored.facts()

    def _picture(self) -> tuple[Any, dict[str, Scalar]]:
        """Return the picture's URL and the facts about it."""
        if self.image_url is not None:
            return self.image_url, _flat(self.metadata, "metadata")
        facts = _flat(self.illustration, "illustration")
        return facts.pop("image_url", None), facts

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002  # theirs
        """Tell OpenLineage: from the generate endpoint to the object."""
        from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook  # noqa: PLC0415  # not for a Dag's parsing
        from airflow_provider_talecraft.pictures.lineage import lineage  # noqa: PLC0415  # where it is installed

        made = {}
        if picture := self._stored:
            size = f"{picture.width} x {picture.height}"
            made[picture.uri] = f"{picture.content_type}, {size}, sha256 {picture.sha256}"
        return lineage(TaleCraftHook(self.talecraft_conn_id).service_url(), made)


def _flat(metadata: Any, what: str) -> dict[str, Scalar]:
    """Return *metadata* if it is flat: what a sidecar, an object and an asset event can hold.

    :param what: what an error calls it.

    :raises AirflowFailException: if it is not a mapping of identifiers to strings, numbers, booleans or None.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise AirflowFailException(f"{what} must be a mapping, not {type(metadata).__name__}.")
    for name, value in metadata.items():
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise AirflowFailException(f"{what} has the key {name!r}; keys are letters, digits and underscores.")
        if value is not None and not isinstance(value, (str, int, float, bool)):
            raise AirflowFailException(
                f"{what}[{name!r}] is a {type(value).__name__}; values are text, numbers or booleans."
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise AirflowFailException(f"{what}[{name!r}] is {value}, which JSON has no number for.")
    return dict(metadata)

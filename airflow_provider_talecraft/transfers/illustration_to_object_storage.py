"""IllustrationToObjectStorageOperator: from a picture's URL into any object store."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airflow.providers.common.compat.sdk import BaseOperator, ObjectStoragePath

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

DEFAULT_MAX_BYTES = 50 * 1024 * 1024


class IllustrationToObjectStorageOperator(BaseOperator):
    """Fetch a picture and store it; returns ``{"path", "size", "sha256", "content_type"}``.

    The picture is streamed to a temporary local file, checked there, and put in its place as a whole: whatever goes
    wrong, nothing partial stands at ``dst``. Fetching and storing cost no credits, so retries are free.

    :param image_url: http(s) URL of the picture (templated), as ``GenerateIllustrationOperator`` returns it.
    :param dst: any ObjectStoragePath URI (templated), such as ``s3://bucket/book/`` or ``file:///tmp/book/cover.jpeg``.
        Ending in ``/`` it is a folder, and the file is named after the URL, with the extension of its real type.
    :param dst_conn_id: id of the store's connection (templated); None for the store's own default.
    :param max_bytes: a larger picture is refused; 50 MiB by default, at least 1.
    """

    template_fields: Sequence[str] = ("image_url", "dst", "dst_conn_id")
    ui_color = "#cfe3f1"

    def __init__(
        self,
        *,
        image_url: str,
        dst: str,
        dst_conn_id: str | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_bytes < 1:
            raise ValueError(f"max_bytes must be at least 1, not {max_bytes}.")
        self.image_url = image_url
        self.dst = dst
        self.dst_conn_id = dst_conn_id
        self.max_bytes = max_bytes

    def execute(self, context: Context) -> dict[str, str | int]:  # noqa: ARG002  # Airflow's signature
        """Fetch, check, store; return where it lies and what it is.

        :raises TaleCraftDownloadError: if there is no picture at ``image_url``, or too large a one; ``dst`` is as it
            was before.
        """
        from airflow_provider_talecraft.transfers.landing import land  # noqa: PLC0415
        from airflow_provider_talecraft.transfers.picture import fetch  # noqa: PLC0415  # loads requests

        if not isinstance(self.image_url, str):
            raise TaleCraftDownloadError(f"image_url must be a URL, not {type(self.image_url).__name__}.")
        with tempfile.TemporaryDirectory(prefix="talecraft-") as folder:
            local = Path(folder, "picture")
            with local.open("wb") as file:
                picture = fetch(self.image_url, file, max_bytes=self.max_bytes)
            dst = ObjectStoragePath(self.dst, conn_id=self.dst_conn_id)
            if self.dst.endswith("/"):
                dst = dst / (_stem(self.image_url) + picture.extension)
            land(local, dst)
        self.log.info("Stored %s (%s, %d bytes)", dst, picture.content_type, picture.size)
        return {
            "path": str(dst),
            "size": picture.size,
            "sha256": picture.sha256,
            "content_type": picture.content_type,
        }


def _stem(url: str) -> str:
    """Return a file name without extension from the last part of *url*, of plain characters only."""
    stem = PurePosixPath(unquote(urlsplit(url).path)).stem
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:100] or "illustration"

"""A finished local file to its place in an object store, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def land(source: Path, dst: ObjectStoragePath) -> None:
    """Put *source* at *dst*; at no time does a part of it stand there.

    A local destination is written beside its place and renamed. A store's upload is made of the whole file in one
    call, which the store commits at its end: a stream that is closed early would be committed as it is.

    :param source: local file, complete.
    :param dst: full path of the destination; folders of a local one are made.
    """
    if dst.protocol not in {"file", "local", ""}:
        dst.fs.put_file(str(source), dst.path)
        return
    place = Path(dst.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name[:100]}.{uuid4().hex}.part")
    try:
        shutil.copyfile(source, beside)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)

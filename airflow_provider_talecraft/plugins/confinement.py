"""Where a task instance can have stored something: decided by what its worker rendered, not by its XCom. Opens nothing.

An XCom can be edited over REST, the rendered fields cannot. So the place is built from ``dst`` and ``dst_conn_id`` as
they were rendered, and all that an XCom adds is the name of a file directly in that folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.pictures.format import EXTENSIONS
from airflow_provider_talecraft.pictures.place import EXTRAS, STORES, checked_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.providers.common.compat.sdk import ObjectStoragePath

#: Local files and object stores. What fsspec knows beside them (http, memory, zip, chains) is never read.
SCHEMES = frozenset({"file", *EXTRAS, *STORES})
#: Characters. Airflow cuts rendered fields off at 4,096.
LONGEST = 4096
#: What the operators call a picture in a folder: no slash, no wildcard, no ``?versionId=``, no dot at its beginning.
NAME = re.compile(rf"\w[\w. -]{{0,199}}(?:{'|'.join(map(re.escape, EXTENSIONS))})")


class NotShownError(Exception):
    """Why something is not shown. It is for the log; who asks is told nothing."""


def picture_place(path: Any, rendered: Mapping[str, Any]) -> ObjectStoragePath:
    """Return the place of a picture.

    :param path: where the XCom says that it is.
    :param rendered: the task instance's rendered fields.
    :raises NotShownError: if that is not a file in the rendered ``dst``, or the rendered ``dst`` itself.
    """
    root = _rendered_place(rendered, "dst")
    if rendered["dst"].strip().endswith("/"):
        name = path.rpartition("/")[2] if isinstance(path, str) else ""
        if not NAME.fullmatch(name):
            raise NotShownError("the XCom names no picture")
        place = root / name
    else:
        place = root
    if str(place) != path:
        raise NotShownError("the XCom's path is not in the dst that the worker rendered")
    return place


def manifest_place(path: Any, rendered: Mapping[str, Any]) -> ObjectStoragePath:
    """Return the place of a batch's manifest; parameters as those of :func:`picture_place`.

    :raises NotShownError: if that is not the rendered ``manifest_path``.
    """
    place = _rendered_place(rendered, "manifest")
    if not isinstance(path, str) or path.strip() != rendered["manifest_path"].strip():
        raise NotShownError("the XCom's manifest_path is not the one that the worker rendered")
    return place


def is_folder(rendered: Mapping[str, Any]) -> bool:
    """Return whether the pictures lie in a folder, named by their operator."""
    return str(rendered.get("dst")).strip().endswith("/")


def _rendered_place(rendered: Mapping[str, Any], what: str) -> ObjectStoragePath:
    uri = rendered.get("dst" if what == "dst" else f"{what}_path")
    conn_id = rendered.get(f"{what}_conn_id")
    if not isinstance(uri, str) or not isinstance(conn_id, (str, type(None))) or len(uri) > LONGEST:
        raise NotShownError(f"the worker rendered no {what}")
    uri = uri.strip()
    scheme, _, rest = uri.partition("://")
    if scheme not in SCHEMES or "::" in uri or (scheme == "file" and not rest.startswith("/")):
        raise NotShownError(
            f"the rendered {what} is not in an object store, nor a local file, or was cut off by Airflow"
        )
    try:
        return checked_path(uri, conn_id)
    except AirflowFailException:
        raise NotShownError(f"the rendered {what} is no place") from None

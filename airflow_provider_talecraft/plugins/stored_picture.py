"""Stored pictures through Airflow, for people who may read the Dag; never any other object.

The api-server can read more than the person who asks, so it must not be talked into reading something else. All of this
must hold, each by itself, before a byte goes out:

1. The person is logged in and may read the XComs of the very Dag that is asked for. ``~`` is no Dag.
2. The XCom names a path, a size and a checksum. It may have been edited, so it is no proof of anything.
3. The path is the ``dst`` that this task instance's worker rendered, or a file directly in it (``confinement``). The
   place is built from the rendered fields, the store's connection too; the XCom adds no more than a file's name.
4. Beside it stands our sidecar or receipt, with the same size and checksum (``description``). If that names another
   Dag than the one asked for, the person may read that one, too.
5. It is a regular file, not a symbolic link, of at most 50 MiB; its bytes have that checksum and are a whole PNG, JPEG
   or WebP picture (``reading``). They are checked in a temporary copy, and the copy is what is sent.

Whatever fails, the answer is the same 404. Where Airflow has cut off the rendered fields, or does not keep them any
more, nothing is shown.
"""

from __future__ import annotations

import logging
import re
from functools import cache, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status
from fastapi.responses import JSONResponse, StreamingResponse

from airflow_provider_talecraft.plugins.confinement import NotShownError, is_folder, manifest_place, picture_place
from airflow_provider_talecraft.plugins.description import descriptions
from airflow_provider_talecraft.plugins.entries import LIMIT, entries
from airflow_provider_talecraft.plugins.reading import checked_picture, opened
from airflow_provider_talecraft.plugins.task_output import TaskOutput
from airflow_provider_talecraft.policies.options import DEFAULT_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

#: Pictures that are read at a time. The others wait without a thread: a store that does not answer must not take those
#: in which Airflow's own requests run.
AT_A_TIME = 8
CHUNK = 64 * 1024
#: Seconds in which the browser does not ask again.
FRESH = 300
EXTENSION = {"image/jpeg": ".jpeg", "image/png": ".png", "image/webp": ".webp"}
#: A picture that is a page, too, is only a picture: no sniffing, no script, no origin, in no other site's page.
HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Cookie, Authorization",
}

#: The id of a Dag, run or task. PostgreSQL takes no NUL; MySQL finds "dag" for "dag ", which the check takes for two.
Id = Annotated[str, Query(max_length=250, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]$")]
MapIndex = Annotated[int, Query(ge=-1, le=2**31 - 1)]
#: An entry's; as in a manifest.
Index = Annotated[int | None, Query(ge=0, le=2**31 - 1)]

router = APIRouter()


def readable_dag(request: Request, user: GetUserDep, dag_id: Id) -> str:
    """Return the id of the Dag that is asked for, if *user*, who is logged in, may read its XComs.

    Every route takes its Dag from here. The check is given the id, and does not look for one in the request: what is
    checked is what is read.
    """
    if dag_id == "~":
        raise _not_found()
    requires_access_dag("GET", DagAccessEntity.XCOM, dag_id)(request, user)
    return dag_id


@router.get("/picture", response_class=Response)
async def picture(  # noqa: PLR0917  # FastAPI passes them by name
    request: Request,
    user: GetUserDep,
    dag_id: Annotated[str, Depends(readable_dag)],
    run_id: Id,
    task_id: Id,
    map_index: MapIndex = -1,
    index: Index = None,
) -> Response:
    """Return the picture that a task instance stored.

    :param index: of the entry, if the task made several.
    """
    return await _answer(
        _picture,
        (dag_id, run_id, task_id, map_index),
        index=index,
        known=request.headers.get("If-None-Match", ""),
        may_read=lambda other: other == dag_id or _may_read(request, user, other),
    )


@router.get("/entries", response_class=Response)
async def entries_of_a_manifest(
    dag_id: Annotated[str, Depends(readable_dag)], run_id: Id, task_id: Id, map_index: MapIndex = -1
) -> Response:
    """Return the entries of a batch that has them in a manifest."""
    return await _answer(_entries, (dag_id, run_id, task_id, map_index))


async def _answer(make: Callable[..., Response], instance: tuple[str, str, str, int], **options: Any) -> Response:
    """Return what *make* does in a thread of ours; 404 for whatever goes wrong there."""
    try:
        return await to_thread.run_sync(partial(make, *instance, **options), limiter=_threads())
    except NotShownError as reason:
        log.info("Nothing is shown for %r: %s.", instance, reason)
    except Exception as error:  # noqa: BLE001  # each store has its own; their texts may hold signatures
        log.warning("Nothing is shown for %r: %s.", instance, type(error).__name__)
    raise _not_found()


def _picture(*instance: Any, index: int | None, known: str, may_read: Callable[[str], bool]) -> Response:
    output = TaskOutput.of(*instance)
    claim = _claim(output, index)
    place = picture_place(claim["path"], output.rendered)
    size, sha256 = claim["size"], claim["sha256"]
    _raise_unless_described(place, size, sha256, in_folder=is_folder(output.rendered), may_read=may_read)
    headers = {**HARMLESS, "ETag": f'"{sha256}"', "Cache-Control": f"private, max-age={FRESH}"}
    if f'"{sha256}"' in known:
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    copy, content_type = checked_picture(place, size=size, sha256=sha256)
    name = quote(PurePosixPath(place.name).stem + EXTENSION[content_type], safe="")
    headers |= {
        "Content-Length": str(size),
        "Content-Disposition": f"inline; filename*=UTF-8''{name}",
        # Else Airflow compresses it, in its event loop and in vain.
        "Content-Encoding": "identity",
    }
    return StreamingResponse(_chunks(copy), media_type=content_type, headers=headers)


def _claim(output: TaskOutput, index: int | None) -> dict[str, Any]:
    """Return what the output says about the picture: path, size and sha256, of the right types."""
    value: Any = output.value
    if index is not None:
        if isinstance(value, dict):
            with opened(manifest_place(value.get("manifest_path"), output.rendered), limit=LIMIT) as (file, _):
                value = next((entry for entry in entries(file) if entry["index"] == index), None)
        else:
            value = next((one for one in value if isinstance(one, dict) and one.get("index") == index), None)
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("path"), str)
        or type(value.get("size")) is not int
        or not 0 < value["size"] <= DEFAULT_MAX_BYTES
        or not isinstance(value.get("sha256"), str)
        or not re.fullmatch(r"[0-9a-f]{64}", value["sha256"])
    ):
        raise NotShownError("the output names no stored picture, or one that is too large")
    return value


def _raise_unless_described(
    place: ObjectStoragePath, size: int, sha256: str, *, in_folder: bool, may_read: Callable[[str], bool]
) -> None:
    for description in descriptions(place, in_folder=in_folder):
        if (description.size, description.sha256) == (size, sha256) and may_read(description.dag_id):
            return
    raise NotShownError(
        "what stands beside the picture does not describe it, or is of a Dag that the user may not read"
    )


def _entries(*instance: Any) -> Response:
    output = TaskOutput.of(*instance)
    if not isinstance(output.value, dict):
        raise NotShownError("the output is no summary")
    with opened(manifest_place(output.value.get("manifest_path"), output.rendered), limit=LIMIT) as (file, _):
        found = list(entries(file))
    return JSONResponse({"entries": found}, headers={**HARMLESS, "Cache-Control": "no-store"})


def _may_read(request: Request, user: Any, dag_id: str) -> bool:
    try:
        requires_access_dag("GET", DagAccessEntity.XCOM, dag_id)(request, user)
    except HTTPException:
        return False
    return dag_id != "~"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


@cache
def _threads() -> CapacityLimiter:
    return CapacityLimiter(AT_A_TIME)


def _not_found() -> HTTPException:
    return HTTPException(status.HTTP_404_NOT_FOUND, "Not Found", headers={"Cache-Control": "no-store"})

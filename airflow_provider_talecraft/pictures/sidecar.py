"""The description beside a picture, ``<picture>.json``: what is known about it, and who stored it."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_talecraft.api.address import without_query
from airflow_provider_talecraft.pictures.place import ObjectLocation

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

#: Bytes. A sidecar has a few hundred and a prompt.
LIMIT = 1024 * 1024
#: What a sidecar says about the bytes, and what that is.
FACTS = {"bytes": int, "sha256": str, "content_type": str, "width": int, "height": int, "source": str}


def location(place: ObjectLocation) -> ObjectLocation:
    """Return where the sidecar of *place* is."""
    return ObjectLocation(place.path.parent / f"{place.path.name}.json")


def write(place: ObjectLocation, facts: Mapping[str, Any], *, url: str, origin: Mapping[str, Any]) -> None:
    """Write the sidecar of *place*, after the picture: where one stands, the picture does.

    :param facts: what is known about the picture.
    :param url: where it was; a query is kept as its digest alone.
    :param origin: who stored it.
    """
    moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
    description = {**facts, "source": without_query(url), **_query_digest(url), **origin, "stored_at": moment}
    content = json.dumps(description, ensure_ascii=False, indent=1) + "\n"
    location(place).put(content.encode(), content_type="application/json")


def of(place: ObjectLocation) -> dict[str, Any] | None:
    """Return the sidecar of *place*, if it has one and the picture's bytes are those that it describes."""
    content = location(place).read(LIMIT)
    if content is None:
        return None
    try:
        sidecar = json.loads(content)
        known = all(isinstance(sidecar[name], kind) for name, kind in FACTS.items())
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        log.warning("What stands beside %s is not its sidecar: it is ignored", place)
        return None
    same = place.size() == sidecar["bytes"] and place.sha256() == sidecar["sha256"]
    return sidecar if same else None


def of_same(place: ObjectLocation, url: str, picture_id: Any) -> dict[str, Any] | None:
    """Return the sidecar of *place*, if it says that what stands there is the picture at *url*.

    Two URLs may differ in their query alone, and a signature is another one each time: with a query, it is the same
    picture if the whole query is the same, or if the picture's id is.
    """
    sidecar = of(place)
    if sidecar is None or sidecar["source"] != without_query(url):
        return None
    digest = _query_digest(url).get("source_query_sha256")
    same_id = bool(picture_id) and picture_id == sidecar.get("id")
    return sidecar if sidecar.get("source_query_sha256") == digest or same_id else None


def _query_digest(url: str) -> dict[str, str]:
    """Return what tells queries apart without giving a signature away; nothing if there is no query."""
    query = urlsplit(url).query
    return {"source_query_sha256": hashlib.sha256(query.encode()).hexdigest()} if query else {}

"""What stands beside a picture and vouches for it: the sidecar of a store operator, or a receipt."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.pictures.format import EXTENSIONS
from airflow_provider_talecraft.pictures.place import ObjectLocation
from airflow_provider_talecraft.pictures.sidecar import FACTS, LIMIT
from airflow_provider_talecraft.plugins.reading import read
from airflow_provider_talecraft.spending import form
from airflow_provider_talecraft.spending.claims import loads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.providers.common.compat.sdk import ObjectStoragePath


@dataclass(frozen=True)
class Description:
    """Which bytes are a picture of ours, and whose.

    :param dag_id: the Dag that drew or stored it.
    :param size: bytes.
    :param sha256: hex digest of the bytes.
    """

    dag_id: str
    size: int
    sha256: str


def descriptions(picture: ObjectStoragePath, *, in_folder: bool) -> Iterator[Description]:
    """Return what stands beside *picture* and describes it: ``<picture>.json`` or, in a folder, ``<name>.json``."""
    path = picture.parent / f"{picture.name}.json"
    if found := _described(path, picture.name, [picture.name]):
        yield found
    if in_folder:
        stem = picture.name.rpartition(".")[0]
        path = picture.parent / f"{stem}.json"
        if found := _described(path, picture.name, [stem + extension for extension in EXTENSIONS]):
            yield found


def _described(path: ObjectStoragePath, name: str, files: list[str]) -> Description | None:
    content = read(path, limit=LIMIT)
    facts: Any = loads(content)
    if "talecraft_receipt" in facts:
        facts = None
        with suppress(AirflowFailException):
            facts = form.read(content or b"", ObjectLocation(path), files)
            # While another request is on its way, the picture that it will replace still stands.
            facts = facts if facts["state"] == "stored" else facts.get("replaces")
        if facts is None or facts["file"] != name:
            return None
    elif not all(type(facts.get(fact)) is kind for fact, kind in FACTS.items()):
        return None
    if not isinstance(facts.get("dag_id"), str) or not facts["dag_id"]:
        return None
    return Description(facts["dag_id"], facts["bytes"], facts["sha256"])

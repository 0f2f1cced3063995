"""A picture on its way from its URL to its place: skip what stands, fetch, check, land, describe.

Knows nothing of Airflow but its ObjectStoragePath. One order serves one picture or, from several threads, many.
"""

from __future__ import annotations

import hashlib
import logging
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures import sidecar
from airflow_provider_talecraft.pictures.assets import shown
from airflow_provider_talecraft.pictures.fetching import fetch, without_query
from airflow_provider_talecraft.pictures.format import EXTENSIONS, Format, inspect
from airflow_provider_talecraft.pictures.place import ObjectLocation, store_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_talecraft.policies.options import IfExists

log = logging.getLogger(__name__)

Scalar = str | int | float | bool | None

#: Bytes. S3 takes 2 KB of metadata with an object; the rest is in the sidecar.
METADATA_LIMIT = 1900
#: Bytes of a name; file systems take 255, and extensions and temporary names want some.
LONGEST_NAME = 150


@dataclass(frozen=True)
class Stored:
    """A picture in its place.

    :param path: as ObjectStoragePath takes it, the connection's id included.
    :param uri: the same without the connection's id.
    :param size: bytes.
    :param sha256: hex digest of the bytes.
    :param content_type: by its bytes.
    :param width: pixels.
    :param height: pixels.
    """

    path: str
    uri: str
    size: int
    sha256: str
    content_type: str
    width: int
    height: int

    @classmethod
    def of(cls, place: ObjectLocation, facts: Mapping[str, Any]) -> Stored:
        """Return the picture at *place* that *facts* describe, as a sidecar does."""
        known = {name: facts[name] for name in ("sha256", "content_type", "width", "height")}
        return cls(str(place), place.uri, facts["bytes"], **known)

    def facts(self) -> dict[str, str | int]:
        """Return what the operators return: flat JSON."""
        return {
            "path": self.path,
            "size": self.size,
            "sha256": self.sha256,
            "content_type": self.content_type,
            "width": self.width,
            "height": self.height,
        }


@dataclass(frozen=True)
class Picture:
    """A picture in a temporary local file, checked.

    :param local: where.
    :param size: bytes.
    :param sha256: hex digest of the bytes.
    :param format: what it is by its bytes.
    """

    local: Path
    size: int
    sha256: str
    format: Format

    def facts(self) -> dict[str, str | int]:
        """Return what a sidecar and a receipt say about it."""
        return {
            "sha256": self.sha256,
            "bytes": self.size,
            "content_type": self.format.content_type,
            "width": self.format.width,
            "height": self.format.height,
        }

    def put(self, location: ObjectLocation, metadata: Mapping[str, Scalar], *, exclusive: bool = False) -> None:
        """Put it in its place, with what fits of *metadata* on the object itself."""
        location.put(
            self.local,
            content_type=self.format.content_type,
            metadata=_object_metadata(self.sha256, metadata),
            exclusive=exclusive,
        )


@dataclass(frozen=True)
class Delivery:
    """Where pictures go, and under which conditions.

    :param dst: ObjectStoragePath URI; ending in ``/`` it is a folder.
    :param dst_conn_id: id of the store's connection; None for the store's own default.
    :param if_exists: "skip_same", "overwrite" or "fail".
    :param max_bytes: a larger picture is refused.
    :param trusted: hosts that need be neither public nor https.
    :param write_sidecar: whether ``<picture>.json`` is written beside it.
    :param origin: who stores it: Dag, task, run.
    """

    dst: str
    dst_conn_id: str | None
    if_exists: IfExists
    max_bytes: int
    trusted: tuple[str, ...]
    write_sidecar: bool = True
    origin: Mapping[str, Scalar] = field(default_factory=dict)

    def store(self, url: str, metadata: Mapping[str, Scalar], *, name: str = "") -> Stored:
        """Bring the picture at *url* to its place; whatever goes wrong, nothing partial stands there.

        :param metadata: flat facts about it, such as its prompt, for the sidecar and the object.
        :param name: what it is called in a folder, in plain characters; by default after its id, else after the URL.
        :raises TaleCraftDownloadError: if there is no picture at *url*, or too large a one.
        :raises FileExistsError: if something stands in its place, with ``if_exists="fail"``.
        """
        if not isinstance(url, str):
            raise TaleCraftDownloadError(f"image_url must be a URL, not {type(url).__name__}.")
        without_query(url)  # complains about what is no URL
        metadata = shown(metadata)
        stem = name or _stem(url, str(metadata.get("id") or ""))
        for place in self._candidates(stem):
            if self.if_exists == "fail" and place.size() is not None:
                raise FileExistsError(f"{place} exists")
            if self.if_exists == "skip_same" and (facts := sidecar.of_same(place, url, metadata.get("id"))):
                log.info("%s stands already: nothing is fetched", place)
                return Stored.of(place, facts)
        with self.fetched(url) as picture:
            place = self._place(stem, picture)
            if self.if_exists == "skip_same" and place.size() == picture.size and place.sha256() == picture.sha256:
                log.info("The same picture stands at %s: nothing is written", place)
            else:
                picture.put(place, metadata, exclusive=self.if_exists == "fail")
            if self.write_sidecar:
                sidecar.write(place, {**metadata, **picture.facts()}, url=url, origin=self.origin)
                self._remove_older(stem, place)
        return Stored.of(place, picture.facts())

    def folder_and_name(self, name: str) -> tuple[ObjectStoragePath, str]:
        """Return the folder, and what a picture in it is called; *name* counts where ``dst`` is a folder."""
        path = store_path(self.dst, self.dst_conn_id)
        return (path, file_name_of(name)) if self.dst.endswith("/") else (path.parent, path.name)

    def possible_names(self, name: str) -> list[str]:
        """Return what the file of a picture may be called; its type is not known before it is fetched."""
        return [name + extension for extension in EXTENSIONS] if self.dst.endswith("/") else [name]

    @contextmanager
    def fetched(self, url: str) -> Iterator[Picture]:
        """Fetch the picture at *url* and check it; it is gone after the block.

        :raises TaleCraftDownloadError: if there is no picture at *url*, or too large a one.
        """
        with tempfile.NamedTemporaryFile(prefix="talecraft-") as file:
            got = fetch(url, file, max_bytes=self.max_bytes, trusted=self.trusted)
            known = inspect(file, name=without_query(url))
            yield Picture(Path(file.name), got.size, got.sha256, known)

    def file_name(self, name: str, picture: Picture) -> str:
        """Return what the file of *picture* is called: its extension follows the bytes where ``dst`` is a folder."""
        return name + picture.format.extension if self.dst.endswith("/") else name

    def _remove_older(self, stem: str, place: ObjectLocation) -> None:
        """Remove a picture of the same name and another type, if its sidecar shows that it was stored here as this."""
        for other in self._candidates(stem):
            if str(other) != str(place) and self.if_exists != "fail" and sidecar.of(other):
                log.info("%s is replaced by %s", other, place)
                sidecar.location(other).remove()
                other.remove()

    def _candidates(self, stem: str) -> list[ObjectLocation]:
        """Return where the picture may stand already."""
        path = store_path(self.dst, self.dst_conn_id)
        if not self.dst.endswith("/"):
            return [ObjectLocation(path)]
        return [ObjectLocation(path / name) for name in self.possible_names(stem)]

    def _place(self, stem: str, picture: Picture) -> ObjectLocation:
        path = store_path(self.dst, self.dst_conn_id)
        if self.dst.endswith("/"):
            return ObjectLocation(path / self.file_name(stem, picture))
        suffix, extension = PurePosixPath(self.dst).suffix.casefold(), picture.format.extension
        if suffix and suffix != extension and (suffix, extension) != (".jpg", ".jpeg"):
            log.warning("%s is %s by its bytes; its name is left as it is", path, picture.format.content_type)
        return ObjectLocation(path)


def file_name_of(name: str) -> str:
    """Return *name* as a file can be called in every store: letters of all scripts, digits, ``_ . -`` and blanks.

    One that has to be changed gets a digest at its end, so that no two names become one.
    """
    plain = re.sub(r"[^\w. -]+", "-", name).strip(" .-")
    while len(plain.encode()) > LONGEST_NAME:
        plain = plain[:-1]
    if plain == name:
        return name
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")


def _object_metadata(sha256: str, metadata: Mapping[str, Scalar]) -> dict[str, str]:
    """Return what the object itself carries: its checksum and, percent-encoded, whatever fits of *metadata*."""
    kept = {"sha256": sha256}
    left = METADATA_LIMIT
    for name, value in metadata.items():
        text = quote(str(value), safe=" /:;,.!?()'")
        cost = len(name) + len(text)
        if value is not None and name.casefold() not in kept and cost <= left:
            kept[name.casefold()] = text.strip()
            left -= cost
    return kept


def _stem(url: str, name: str) -> str:
    """Return a file name without extension, of plain characters only: from *name*, else from *url*."""
    for text in (name, PurePosixPath(unquote(urlsplit(url).path)).stem):
        if stem := re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:100]:
            return stem
    return "illustration"

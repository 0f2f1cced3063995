"""One place in an object store: what stands there, and how something finished gets there, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow.providers.common.compat.sdk import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.providers.common.compat.sdk import ObjectStoragePath

#: Which extra of this package brings the filesystem of a URI's scheme.
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure"}

#: ``abfss://container@account.dfs.core.windows.net/``, as Azure writes it.
ACCOUNT_IN_URI = re.compile(r"(abfss?|az|adl)://[^/]*@[^/]*\.core\.[^/]+", re.IGNORECASE)

#: Bytes that an upload holds at a time. S3 takes parts of at least 5 MiB, GCS multiples of 256 KiB.
PART_BYTES = 8 * 1024 * 1024
READ_BYTES = 1024 * 1024
#: What file systems without hard links say (gcsfuse, SMB, some FUSE).
NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
LOCAL = frozenset({"file", "local", ""})


@dataclass(frozen=True)
class _Store:
    """How a store's filesystem spells a content type and metadata when it takes a file.

    :param options: keyword arguments of its ``put_file``, by content type and metadata.
    :param metadata_after: whether the metadata is set in a second call.
    """

    options: Callable[[str, Mapping[str, str]], dict[str, Any]]
    metadata_after: bool = False


def _s3(content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    return {
        "ContentType": content_type,
        "Metadata": dict(metadata),
        "chunksize": PART_BYTES,
        "max_concurrency": 2,
    }


def _gcs(content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    return {"content_type": content_type, "metadata": dict(metadata), "chunksize": PART_BYTES}


def _azure(content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG001  # set afterwards
    from azure.storage.blob import ContentSettings  # noqa: PLC0415  # there where the store is used

    return {"content_settings": ContentSettings(content_type=content_type), "max_concurrency": 1}


STORES = {
    **dict.fromkeys(("s3", "s3a", "s3n"), _Store(_s3)),
    **dict.fromkeys(("gs", "gcs"), _Store(_gcs)),
    **dict.fromkeys(("abfs", "abfss", "az"), _Store(_azure, metadata_after=True)),
}


def store_path(uri: str, conn_id: str | None) -> ObjectStoragePath:
    """Return *uri* as a path, over the connection *conn_id*, else the one that the URI names before an ``@``."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath  # noqa: PLC0415  # loads its file systems

    # Airflow 2.11 does not look into the URI if it is told that there is no connection.
    return ObjectStoragePath(uri) if conn_id is None else ObjectStoragePath(uri, conn_id=conn_id)


def checked_path(dst: Any, conn_id: str | None) -> ObjectStoragePath:
    """Return *dst* as a path whose filesystem is there.

    :raises AirflowFailException: if it is not a place; no retry would help.
    """
    if not isinstance(dst, str) or "://" not in dst:
        raise AirflowFailException(f"dst must be a URI such as s3://bucket/folder/ or file:///folder/, not {dst!r}.")
    if dst != dst.strip() or not dst.isprintable():
        raise AirflowFailException(f"dst has blanks around it, or characters that no name has: {dst!r}.")
    if ACCOUNT_IN_URI.match(dst):
        raise AirflowFailException(
            "dst names a storage account, where Airflow expects a connection's id. Write abfs://container/folder/, and "
            "name the account in the connection (dst_conn_id)."
        )
    rest = dst.partition("://")[2]
    if ".." in rest.split("/") or rest.rpartition("/")[2] == "." or "/" not in rest:
        raise AirflowFailException(f"dst names no place: {dst!r}. A folder ends in a slash; '..' is not allowed.")
    try:
        path = store_path(dst, conn_id)
        # Some filesystems are missed here, others when they are first used.
        _ = path.fs
    except (ImportError, ValueError) as error:
        extra = EXTRAS.get(dst.partition("://")[0], "")
        hint = f" pip install 'airflow-provider-talecraft[{extra}]' brings it." if extra else ""
        raise AirflowFailException(f"There is no filesystem for {dst}: {error}.{hint}") from error
    return path


class ObjectLocation:
    """One place in a store.

    :param path: full path, not a folder's.
    """

    def __init__(self, path: ObjectStoragePath) -> None:
        self.path = path
        self._is_local = path.protocol in LOCAL

    def __str__(self) -> str:
        return str(self.path)

    @property
    def uri(self) -> str:
        """The address without the connection's id, as an asset is called."""
        if self._is_local:
            return f"file://{self.path.path}"
        return f"{self.path.protocol}://{self.path.path.lstrip('/')}"

    def size(self) -> int | None:
        """Return the bytes of what stands here, None if nothing does; asked of the store, not of a cache."""
        fs, path = self.path.fs, self.path.path
        with suppress(AttributeError, KeyError):
            fs.invalidate_cache(fs._parent(path))  # noqa: SLF001  # fsspec has no public name for it
        try:
            info = fs.info(path)
        except FileNotFoundError:
            return None
        return int(info["size"]) if info.get("type") == "file" else None

    def is_folder(self) -> bool:
        """Return whether a folder is in the way; in a bucket none ever is."""
        return self._is_local and Path(self.path.path).is_dir()

    def sha256(self) -> str:
        """Return the checksum of what stands here: as its metadata says, else by reading it through."""
        fs, path = self.path.fs, self.path.path
        if not self._is_local and hasattr(fs, "getxattr"):
            with suppress(KeyError, NotImplementedError, TypeError):
                noted = fs.getxattr(path, "sha256")
                if isinstance(noted, str) and noted:
                    return noted
        digest = hashlib.sha256()
        with fs.open(path, "rb", block_size=READ_BYTES) as file:
            while chunk := file.read(READ_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def read(self, limit: int) -> bytes | None:
        """Return what stands here, None if nothing does; of what is larger than *limit*, nothing but its beginning."""
        fs, path = self.path.fs, self.path.path
        try:
            size = self.size()
            if size is None:
                return None
            # In one request: a file that is opened and then replaced cannot be read.
            content: bytes = fs.cat_file(path) if size <= limit else fs.cat_file(path, start=0, end=limit)
        except FileNotFoundError:
            return None
        return content

    def remove(self) -> None:
        """Remove what stands here, if anything does."""
        with suppress(FileNotFoundError):
            self.path.fs.rm_file(self.path.path)

    def put(
        self,
        source: Path | bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
        exclusive: bool = False,
    ) -> None:
        """Put *source* here; at no time does a part of it stand here.

        A local file is written beside its place and takes it at once. A store's upload is made of the whole file in
        one call, which the store commits at its end: a stream that is closed early would be committed as it is.

        :param source: a local file, complete; or the bytes themselves, if they are few.
        :param content_type: kept where the store has one.
        :param metadata: ASCII values by lower-case identifiers, kept where the store has them.
        :param exclusive: take the place only if nothing stands here.
        :raises FileExistsError: if something does.
        """
        if self._is_local:
            self._put_beside(source, exclusive=exclusive)
            return
        if isinstance(source, bytes):
            with tempfile.NamedTemporaryFile() as file:
                file.write(source)
                file.flush()
                self.put(Path(file.name), content_type=content_type, metadata=metadata, exclusive=exclusive)
            return
        store = STORES.get(self.path.protocol)
        options = store.options(content_type, metadata or {}) if store else {}
        if exclusive:
            # Looked at first, since not every store and release of its filesystem knows how to create exclusively.
            if self.size() is not None:
                raise FileExistsError(f"{self} exists")
            options |= {"mode": "create"} if store else {}
        fs, path = self.path.fs, self.path.path
        try:
            fs.put_file(str(source), path, **options)
        except OSError as error:
            if not (exclusive and _says_taken(error)):
                raise
            if self.size() is not None:
                raise FileExistsError(f"{self} exists") from error
            # Azure counts what a killed upload has left, though nothing stands there.
            options.pop("mode", None)
            fs.put_file(str(source), path, **options)
        if store and store.metadata_after and metadata:
            fs.setxattrs(path, **metadata)

    def _put_beside(self, source: Path | bytes, *, exclusive: bool) -> None:
        place = Path(self.path.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        name = place.name.encode()[:100].decode(errors="ignore")  # a name has 255 bytes, not characters
        beside = place.with_name(f".{name}.{uuid4().hex}.part")
        try:
            with beside.open("xb") as file:
                if isinstance(source, bytes):
                    file.write(source)
                else:
                    with source.open("rb") as content:
                        shutil.copyfileobj(content, file)
                file.flush()
                os.fsync(file.fileno())  # else a power failure could leave the name without the content
            if exclusive:
                _take(place, beside)
            else:
                beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)


def _take(place: Path, beside: Path) -> None:
    """Give *beside* the name *place*, unless something has it."""
    try:
        os.link(beside, place)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # The place is taken by an empty file first, which nobody else can do then.
        place.touch(exist_ok=False)
        try:
            beside.replace(place)
        except OSError:
            place.unlink(missing_ok=True)
            raise


def _says_taken(error: OSError) -> bool:
    """Return whether a store refused to create what is there already; s3fs has no class of its own for that."""
    if isinstance(error, FileExistsError):
        return True
    answer: Any = getattr(error.__cause__, "response", None) or {}
    return answer.get("Error", {}).get("Code") in {"PreconditionFailed", "ConditionalRequestConflict"}

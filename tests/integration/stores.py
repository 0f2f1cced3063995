"""Places to store at, all alike: what stands there is asked of the store itself, past every cache of fsspec's."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from urllib.parse import quote

from servers import BUCKET

#: The stores that every case runs on.
NAMES = ("file", "s3", "azure", "gcs")


class Store(ABC):
    """A folder of a store. What it holds is named relative to it.

    :param folder: name of the folder; one that nobody else uses, so that a test sees only what it stored.
    """

    name: str
    scheme: str
    #: For processes that are to store here: the connection, and what else they need.
    environment: dict[str, str]

    def __init__(self, folder, server):
        self.folder = folder
        self.server = server
        self.root = f"{self.scheme}://{BUCKET}/{folder}"
        self.conn_id = f"store_{self.name}"
        self.environment = {f"AIRFLOW_CONN_{self.conn_id.upper()}": json.dumps(server.connection())}

    def uri(self, name):
        """Return the URI of *name* here, as ``ObjectStoragePath`` takes it."""
        return f"{self.root}/{name}"

    def path(self, name):
        """Return *name* here as an ``ObjectStoragePath``."""
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        return ObjectStoragePath(self.uri(name), conn_id=self.conn_id)

    @abstractmethod
    def objects(self):
        """Return the sizes of all that stands here, by name; what is half uploaded does not stand."""

    @abstractmethod
    def read(self, name):
        """Return an object's bytes."""

    @abstractmethod
    def content_type(self, name):
        """Return an object's content type; None where the store knows of none."""

    @abstractmethod
    def metadata(self, name):
        """Return an object's user metadata; None where the store has none."""

    @abstractmethod
    def unfinished(self):
        """Return the names of uploads that were begun and neither committed nor given up, as far as the store tells."""

    def _key(self, name):
        return f"{self.folder}/{name}"

    def _name(self, key):
        return key.removeprefix(f"{self.folder}/")


class LocalFolder(Store):
    """``file://``. An unfinished upload would be a file like any other here."""

    name, scheme = "file", "file"

    def __init__(self, folder):
        self.folder = Path(folder)
        self.root = f"file://{folder}"
        self.conn_id = None
        self.environment = {}

    def objects(self):
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.stat().st_size for path in files}

    def read(self, name):
        return (self.folder / name).read_bytes()

    def content_type(self, name):
        return None

    def metadata(self, name):
        return None

    def unfinished(self):
        return []


class S3(Store):
    """``s3://`` on SeaweedFS."""

    name, scheme = "s3", "s3"

    def objects(self):
        pages = self.server.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{self.folder}/")
        return {self._name(item["Key"]): item["Size"] for page in pages for item in page.get("Contents", ())}

    def read(self, name):
        return self.server.client().get_object(Bucket=BUCKET, Key=self._key(name))["Body"].read()

    def content_type(self, name):
        return self.server.client().head_object(Bucket=BUCKET, Key=self._key(name))["ContentType"]

    def metadata(self, name):
        return self.server.client().head_object(Bucket=BUCKET, Key=self._key(name))["Metadata"]

    def unfinished(self):
        uploads = self.server.client().list_multipart_uploads(Bucket=BUCKET, Prefix=f"{self.folder}/")
        return [self._name(upload["Key"]) for upload in uploads.get("Uploads", ())]


class Azure(Store):
    """``abfs://`` on Azurite."""

    name, scheme = "azure", "abfs"

    def objects(self):
        return {self._name(blob.name): blob.size for blob in self._blobs()}

    def read(self, name):
        return self.server.client().download_blob(self._key(name)).readall()

    def content_type(self, name):
        return self._properties(name).content_settings.content_type

    def metadata(self, name):
        return self._properties(name).metadata

    def unfinished(self):
        finished = self.objects()
        return [
            name
            for blob in self._blobs(include=["uncommittedblobs"])
            if (name := self._name(blob.name)) not in finished
        ]

    def _blobs(self, **options):
        return self.server.client().list_blobs(name_starts_with=f"{self.folder}/", **options)

    def _properties(self, name):
        return self.server.client().get_blob_client(self._key(name)).get_blob_properties()


class GCS(Store):
    """``gs://`` on fake-gcs-server. Like the real one it lists no uploads that are under way."""

    name, scheme = "gcs", "gs"

    def __init__(self, folder, server):
        super().__init__(folder, server)
        # gcsfs asks over gRPC what kind of a bucket it is, which this server does not speak: uploads would hang.
        self.environment["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

    def objects(self):
        found, token = {}, ""
        while token is not None:
            page = self.server.ask(f"/b/{BUCKET}/o?prefix={quote(self.folder)}/&pageToken={quote(token)}")
            found |= {self._name(item["name"]): int(item["size"]) for item in page.get("items", ())}
            token = page.get("nextPageToken")
        return found

    def read(self, name):
        return self.server.ask(f"{self._address(name)}?alt=media")

    def content_type(self, name):
        return self.server.ask(self._address(name)).get("contentType")

    def metadata(self, name):
        return self.server.ask(self._address(name)).get("metadata", {})

    def unfinished(self):
        return []

    def _address(self, name):
        return f"/b/{BUCKET}/o/{quote(self._key(name), safe='')}"

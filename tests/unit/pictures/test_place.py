"""A place in a store: what is one, which connection opens it, and how something gets there."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_talecraft.pictures import place
from airflow_provider_talecraft.pictures.place import ObjectLocation, checked_path, store_path


@pytest.mark.parametrize(
    ("uri", "conn_id", "expected"),
    [
        ("s3://mine@bucket/a/", None, "s3://mine@bucket/a"),
        ("s3://bucket/a/", "mine", "s3://mine@bucket/a"),
        ("s3://bucket/a/", None, "s3://bucket/a"),
    ],
)
def test_the_connection_that_a_uri_names_is_taken_unless_another_is_given(uri, conn_id, expected):
    assert str(store_path(uri, conn_id)).rstrip("/") == expected


# What a store's filesystem is told; that real stores take it is in tests/integration/test_stores.py.


class Cloud(MemoryFileSystem):
    """A filesystem in memory that notes what it is told, and fails when it is told to."""

    cachable = False

    def __init__(self):
        super().__init__()
        self.store, self.pseudo_dirs = {}, [""]
        self.told, self.failures, self.attributes, self.forgotten = [], [], {}, []

    def put_file(self, lpath, rpath, **options):
        self.told.append(options)
        if self.failures:
            raise self.failures.pop(0)
        self.pipe_file(rpath, Path(lpath).read_bytes())

    def getxattr(self, path, name):
        found = self.attributes[path, name]
        if isinstance(found, Exception):
            raise found
        return found

    def setxattrs(self, path, **attributes):
        self.told.append((path, attributes))

    def invalidate_cache(self, path=None):
        self.forgotten.append(path)


@pytest.fixture
def cloud():
    return Cloud()


def location(cloud, protocol="s3", path="/bucket/fox.jpeg"):
    return ObjectLocation(SimpleNamespace(fs=cloud, protocol=protocol, path=path))


@pytest.mark.parametrize(
    ("protocols", "options"),
    [
        (
            ("s3", "s3a", "s3n"),
            {"ContentType": "image/jpeg", "Metadata": {"id": "1"}, "chunksize": 8 * 1024 * 1024, "max_concurrency": 2},
        ),
        (("gs", "gcs"), {"content_type": "image/jpeg", "metadata": {"id": "1"}, "chunksize": 8 * 1024 * 1024}),
        (("memory",), {}),
    ],
)
def test_each_store_is_told_the_type_and_the_metadata_in_its_own_words(cloud, protocols, options):
    for protocol in protocols:
        location(cloud, protocol).put(b"fox", content_type="image/jpeg", metadata={"id": "1"})
        assert cloud.told.pop() == options
        assert cloud.cat_file("/bucket/fox.jpeg") == b"fox"


@pytest.mark.parametrize("protocol", ["abfs", "abfss", "az"])
def test_azure_is_told_the_metadata_afterwards(cloud, protocol):
    pytest.importorskip("azure.storage.blob", reason="the extra azure is not installed")
    location(cloud, protocol).put(b"fox", content_type="image/jpeg", metadata={"id": "1"})
    location(cloud, protocol).put(b"fox", content_type="image/jpeg")
    first, then, second = cloud.told
    assert then == ("/bucket/fox.jpeg", {"id": "1"})
    for options in (first, second):
        assert options.pop("content_settings").content_type == "image/jpeg"
        assert options == {"max_concurrency": 1}


def test_a_place_is_taken_exclusively_where_the_store_can_and_looked_at_first_everywhere(cloud):
    for protocol in ("gs", "memory"):
        location(cloud, protocol).put(b"fox", content_type="image/jpeg", exclusive=True)
        with pytest.raises(FileExistsError, match="fox"):
            location(cloud, protocol).put(b"owl", content_type="image/jpeg", exclusive=True)
        cloud.rm_file("/bucket/fox.jpeg")
    with_mode, without = cloud.told
    told = {"content_type": "image/jpeg", "metadata": {}, "chunksize": 8 * 1024 * 1024}
    assert (with_mode, without) == ({**told, "mode": "create"}, {})
    location(cloud, "gs").put(b"fox", content_type="image/jpeg")
    assert "mode" not in cloud.told.pop()


def refusal(code):
    error = OSError("PreconditionFailed")
    error.__cause__ = Exception()
    error.__cause__.response = {"Error": {"Code": code}}
    return error


@pytest.mark.parametrize(
    "error", [FileExistsError(), refusal("PreconditionFailed"), refusal("ConditionalRequestConflict")], ids=repr
)
def test_a_place_that_was_taken_meanwhile_is_said_to_be_and_one_that_is_free_after_all_is_taken(cloud, error):
    cloud.failures = [error]
    location(cloud, "gs").put(b"fox", content_type="image/jpeg", exclusive=True)
    first, second = cloud.told
    assert first == {**second, "mode": "create"}
    assert "mode" not in second
    cloud.rm_file("/bucket/fox.jpeg")
    put_file = cloud.put_file

    def another_is_faster(lpath, rpath, **options):
        cloud.pipe_file(rpath, b"another's")
        put_file(lpath, rpath, **options)

    cloud.failures, cloud.put_file = [error], another_is_faster
    with pytest.raises(FileExistsError, match="exists"):
        location(cloud, "gs").put(b"fox", content_type="image/jpeg", exclusive=True)
    assert cloud.cat_file("/bucket/fox.jpeg") == b"another's"


def test_a_store_of_an_unknown_kind_is_told_nothing_more_when_its_place_is_free_after_all(cloud):
    cloud.failures = [FileExistsError()]
    location(cloud, "memory").put(b"fox", content_type="image/jpeg", exclusive=True)
    assert cloud.told == [{}, {}]


@pytest.mark.parametrize(
    ("error", "exclusive"),
    [(PermissionError(), True), (refusal("AccessDenied"), True), (OSError(), True), (FileExistsError(), False)],
    ids=repr,
)
def test_any_other_failure_of_a_store_is_its_own(cloud, error, exclusive):
    cloud.failures = [error]
    with pytest.raises(type(error)) as caught:
        location(cloud, "gs").put(b"fox", content_type="image/jpeg", exclusive=exclusive)
    assert caught.value is error
    assert len(cloud.told) == 1


def test_the_checksum_that_a_store_has_noted_is_believed_and_else_the_bytes_are_read(cloud):
    cloud.pipe_file("/bucket/fox.jpeg", b"fox" * 500_000)
    digest = hashlib.sha256(b"fox" * 500_000).hexdigest()
    assert location(cloud).sha256() == digest
    for noted in (None, "", 7, NotImplementedError(), TypeError()):
        cloud.attributes = {("/bucket/fox.jpeg", "sha256"): noted}
        assert location(cloud).sha256() == digest
    cloud.attributes = {("/bucket/fox.jpeg", "sha256"): "noted"}
    assert location(cloud).sha256() == "noted"


def test_a_filesystem_that_notes_no_checksums_and_keeps_no_cache_is_read(cloud):
    fs = MemoryFileSystem()
    fs.pipe_file("/talecraft-test/fox.jpeg", b"fox")
    assert location(fs, path="/talecraft-test/fox.jpeg").sha256() == hashlib.sha256(b"fox").hexdigest()
    fs.rm_file("/talecraft-test/fox.jpeg")
    bare = SimpleNamespace(info=lambda _: {"size": 3, "type": "file"})
    assert location(bare).size() == 3


def test_a_local_files_checksum_is_of_its_bytes(tmp_path):
    path = tmp_path / "fox.jpeg"
    path.write_bytes(b"fox")
    assert local(path).sha256() == hashlib.sha256(b"fox").hexdigest()


def local(path):
    return ObjectLocation(ObjectStoragePath(f"file://{path}"))


def test_the_size_is_asked_of_the_store_and_not_of_a_cache(cloud):
    assert location(cloud).size() is None
    cloud.pipe_file("/bucket/fox.jpeg", b"fox")
    assert location(cloud).size() == 3
    assert cloud.forgotten == ["/bucket", "/bucket"]
    cloud.mkdir("/bucket/folder")
    assert location(cloud, path="/bucket/folder").size() is None


def test_a_cache_that_does_not_know_the_folder_is_no_matter(cloud):
    def unknown(path):
        raise KeyError(path)

    cloud.invalidate_cache = unknown
    cloud.pipe_file("/bucket/fox.jpeg", b"fox")
    assert location(cloud).size() == 3


def test_of_what_is_larger_than_the_limit_the_beginning_is_read(cloud):
    assert location(cloud).read(3) is None
    cloud.pipe_file("/bucket/fox.jpeg", b"fox")
    assert [location(cloud).read(limit) for limit in (2, 3, 4)] == [b"fo", b"fox", b"fox"]


def test_what_goes_while_it_is_read_is_not_there(cloud, monkeypatch):
    monkeypatch.setattr(ObjectLocation, "size", lambda _: 3)
    assert location(cloud).read(3) is None


def test_what_is_not_there_can_be_removed(cloud):
    location(cloud).remove()
    cloud.pipe_file("/bucket/fox.jpeg", b"fox")
    location(cloud).remove()
    assert not cloud.exists("/bucket/fox.jpeg")


def test_an_asset_is_called_without_the_connection_and_with_one_slash_less(cloud, tmp_path):
    assert location(cloud).uri == "s3://bucket/fox.jpeg"
    assert location(cloud, path="/X/fox.jpeg").uri == "s3://X/fox.jpeg"
    assert local(tmp_path / "fox.jpeg").uri == f"file://{tmp_path}/fox.jpeg"


def test_a_folder_is_in_the_way_on_a_disk_and_never_in_a_bucket(cloud, tmp_path):
    (tmp_path / "fox.jpeg").write_bytes(b"")
    assert local(tmp_path).is_folder()
    assert not local(tmp_path / "fox.jpeg").is_folder()
    assert not location(cloud, path=str(tmp_path)).is_folder()


def test_a_file_is_written_beside_its_place_under_a_name_that_fits_and_nothing_is_left_there(tmp_path):
    place = tmp_path / "deep" / "folder" / ("狐" * 80 + ".jpeg")
    local(place).put(b"fox", content_type="image/jpeg")
    assert (place.read_bytes(), len(list(place.parent.iterdir()))) == (b"fox", 1)
    with pytest.raises(FileExistsError):
        local(place).put(b"owl", content_type="image/jpeg", exclusive=True)
    assert (place.read_bytes(), len(list(place.parent.iterdir()))) == (b"fox", 1)


def test_where_there_are_no_links_a_place_that_could_not_be_filled_is_free_again(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "no links here")

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("os.link", no_links)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="full"):
        local(tmp_path / "fox.jpeg").put(b"fox", content_type="image/jpeg", exclusive=True)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("os.link", full)
    with pytest.raises(OSError, match="full"):
        local(tmp_path / "fox.jpeg").put(b"fox", content_type="image/jpeg", exclusive=True)


# What is a place


@pytest.mark.parametrize(
    ("dst", "message"),
    [
        (7, "^dst must be a URI such as .*, not 7"), ("fox.jpeg", "must be a URI"),
        (" file:///x/", "dst has blanks around it"), ("file:///x\n/", "dst has blanks around it"),
        ("abfs://c@a.dfs.core.windows.net/x/", "dst names a storage account"),
        ("ABFSS://c@a.dfs.core.windows.net/x/", "dst names a storage account"),
        ("file:///a/../b/", "dst names no place: 'file:///a/../b/'"), ("file:///a/.", "names no place"),
        ("s3://bucket", "names no place"), ("s3://b/../x://y/", "names no place"),
        ("nothing://x/y", "^There is no filesystem for nothing://x/y: "),
    ],
)  # fmt: skip
def test_what_is_no_place_is_told_why(dst, message):
    with pytest.raises(AirflowFailException, match=message):
        checked_path(dst, None)


@pytest.mark.parametrize("dst", ["file:///a/b.jpeg", "file:///a..b/", "file:///a/..b"])
def test_dots_in_a_name_are_no_way_out(dst):
    assert str(checked_path(dst, None)).rstrip("/") == dst.rstrip("/")


def test_a_filesystem_that_is_not_installed_is_told_with_the_extra_that_brings_it(monkeypatch):
    class Missing:
        @property
        def fs(self):
            raise ImportError("no such module")

    over = []
    monkeypatch.setattr(place, "store_path", lambda dst, conn_id: over.append(conn_id) or Missing())
    for scheme, extra in (("s3", "s3"), ("gs", "gcs"), ("abfs", "azure")):
        with pytest.raises(AirflowFailException) as caught:
            checked_path(f"{scheme}://b/x://y/", "mine")
        assert str(caught.value) == (
            f"There is no filesystem for {scheme}://b/x://y/: no such module. "
            f"pip install 'airflow-provider-talecraft[{extra}]' brings it."
        )
    with pytest.raises(AirflowFailException, match=r"^There is no filesystem for x://b/x/: no such module\.$"):
        checked_path("x://b/x/", None)
    assert over == ["mine", "mine", "mine", None]


@pytest.mark.parametrize("source", ["file", "bytes"])
def test_what_is_put_into_a_folder_is_a_file_as_anybody_makes_it_there(tmp_path, source):
    """Whatever the mode of the file that it was fetched into: others read the folder, too."""
    private = tmp_path / "fetched"
    private.write_bytes(b"fox")
    private.chmod(0o600)
    (usual := tmp_path / "usual").touch()
    location = ObjectLocation(ObjectStoragePath(f"file://{tmp_path}/folder/fox.jpeg"))
    location.put(private if source == "file" else b"fox", content_type="image/jpeg")
    stored = tmp_path / "folder" / "fox.jpeg"
    assert (stored.read_bytes(), stored.stat().st_mode) == (b"fox", usual.stat().st_mode)

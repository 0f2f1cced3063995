"""A picture lands whole at its destination and is described there, or nothing does. Real stores: integration/."""

from __future__ import annotations

import errno
import hashlib
import inspect
import json
import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Asset, AssetAlias, ObjectStoragePath
from asset_events import Events
from loopback import gallery, read_head, server
from patience import PATIENCE
from pictures import picture

from airflow_provider_talecraft.api.client import TaleCraftClient
from airflow_provider_talecraft.api.models import IllustrationRequest
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError, TaleCraftInvalidRequestError
from airflow_provider_talecraft.pictures.place import ObjectLocation
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

try:
    from airflow.sdk._shared.secrets_masker import redact
except ImportError:  # below 3.2
    from airflow.utils.log.secrets_masker import redact

TI = SimpleNamespace(dag_id="book", task_id="store", run_id="manual__1", map_index=3)


@pytest.fixture
def drawn(connected):
    """What GenerateIllustrationOperator returns for a fox."""
    client = TaleCraftClient(connected.api_key, base_url=connected.url, connect_timeout=5, read_timeout=10)
    request = IllustrationRequest("A fox in the snow, 雪中的狐狸")
    made = client.generate(request)
    return {"id": made.id, "status": made.status, "image_url": made.image_url, **request.payload()}


@pytest.fixture
def image_url(drawn):
    return drawn["image_url"]


def store(image_url, dst, **kwargs):
    operator = IllustrationToObjectStorageOperator(task_id="store", image_url=image_url, dst=dst, **kwargs)
    return operator.execute({"ti": TI})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_picture_is_stored_as_it_was_served(image_url, tmp_path):
    result = store(image_url, f"file://{tmp_path}/deep/folder/cover.jpeg")
    content = (tmp_path / "deep/folder/cover.jpeg").read_bytes()
    assert content == requests.get(image_url, timeout=PATIENCE).content
    assert result == {
        "path": f"file://{tmp_path}/deep/folder/cover.jpeg",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "content_type": "image/jpeg",
        "width": 1024,
        "height": 1024,
    }


# Names


def test_in_a_folder_the_file_is_named_after_the_pictures_id_and_its_real_type(drawn, tmp_path):
    result = store(drawn["image_url"], f"file://{tmp_path}/book/", metadata=drawn)
    assert result["path"] == f"file://{tmp_path}/book/{drawn['id']}.jpeg"
    assert names(tmp_path / "book") == [f"{drawn['id']}.jpeg", f"{drawn['id']}.jpeg.json"]


def test_without_an_id_it_is_named_after_the_url(image_url, tmp_path):
    store(image_url, f"file://{tmp_path}/", write_sidecar=False)
    assert names(tmp_path) == [Path(image_url).stem + ".jpeg"]


@pytest.mark.parametrize(("kind", "extension"), [("PNG", ".png"), ("WEBP", ".webp"), ("JPEG", ".jpeg")])
def test_the_extension_follows_the_bytes_whatever_the_url_says(tmp_path, kind, extension):
    with gallery(picture(kind)) as (url, _):
        store(url, f"file://{tmp_path}/", image_hosts="127.0.0.1", write_sidecar=False)
    assert names(tmp_path) == [f"fox{extension}"]


def test_a_name_that_the_user_gave_is_kept_and_a_wrong_extension_in_it_is_said(tmp_path, caplog):
    with gallery(picture("PNG")) as (url, _):
        result = store(url, f"file://{tmp_path}/cover.jpg", image_hosts="127.0.0.1", write_sidecar=False)
    assert (names(tmp_path), result["content_type"]) == (["cover.jpg"], "image/png")
    assert "is image/png by its bytes" in caplog.text


@pytest.mark.parametrize(
    ("path", "metadata", "name"),
    [
        ("/uploads/..%2F..%2Fetc%2Fpasswd", None, "passwd"),
        ("/a%20b%00c.png", None, "a-b-c"),
        ("/", None, "illustration"),
        ("/....", None, "illustration"),
        ("/%E7%8B%90.png", None, "illustration"),
        ("/" + "x" * 500, None, "x" * 100),
        ("/x.png", {"id": "../../etc/passwd"}, "etc-passwd"),
        ("/x.png", {"id": ""}, "x"),
        ("/x.png", {"id": "..."}, "x"),
    ],
)
def test_a_file_is_named_in_plain_characters_whatever_the_answer(path, metadata, name, tmp_path):
    with gallery(picture()) as (url, _):
        odd = url.replace("/uploads/fox.jpeg", path)
        store(odd, f"file://{tmp_path}/book/", image_hosts="127.0.0.1", write_sidecar=False, metadata=metadata)
    assert names(tmp_path / "book") == [f"{name}.jpeg"]


# What is there already


@pytest.mark.parametrize("sidecar", [True, False])
def test_the_same_picture_is_left_alone_and_with_a_sidecar_not_even_fetched(tmp_path, sidecar):
    with gallery(picture()) as (url, seen):
        options = {"image_hosts": "127.0.0.1", "write_sidecar": sidecar}
        first = store(url, f"file://{tmp_path}/", **options)
        before = (tmp_path / "fox.jpeg").stat()
        assert store(url, f"file://{tmp_path}/", **options) == first
        assert (tmp_path / "fox.jpeg").stat().st_ino == before.st_ino
        assert len(seen) == (1 if sidecar else 2)


def test_another_picture_replaces_it_as_a_whole(tmp_path):
    one, other = picture(size=(40, 30)), picture(size=(30, 40))
    with gallery(one) as (url, _):
        store(url, f"file://{tmp_path}/cover.jpeg", image_hosts="127.0.0.1")
    with gallery(other) as (url, _):
        result = store(url, f"file://{tmp_path}/cover.jpeg", image_hosts="127.0.0.1")
    assert (tmp_path / "cover.jpeg").read_bytes() == other
    assert json.loads((tmp_path / "cover.jpeg.json").read_text())["sha256"] == result["sha256"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda place, sidecar: place.write_bytes(b"x" + place.read_bytes()[1:]),
        lambda place, sidecar: place.write_bytes(b"other"),
        lambda place, sidecar: place.unlink(),
        lambda place, sidecar: sidecar.write_text("nonsense"),
        lambda place, sidecar: sidecar.write_text("[]"),
        lambda place, sidecar: sidecar.write_bytes(b"\xff\x00"),
        lambda place, sidecar: sidecar.write_text(sidecar.read_text().replace("bytes", "octets")),
        lambda place, sidecar: sidecar.unlink(),
    ],
    ids=["bytes", "size", "gone", "text", "list", "binary", "field", "no sidecar"],
)
def test_a_sidecar_is_believed_only_as_far_as_the_bytes_agree(tmp_path, damage):
    content = picture()
    place, sidecar = tmp_path / "fox.jpeg", tmp_path / "fox.jpeg.json"
    with gallery(content) as (url, seen):
        store(url, f"file://{tmp_path}/", image_hosts="127.0.0.1")
        damage(place, sidecar)
        store(url, f"file://{tmp_path}/", image_hosts="127.0.0.1")
        assert len(seen) == 2
    assert place.read_bytes() == content
    assert json.loads(sidecar.read_text())["sha256"] == hashlib.sha256(content).hexdigest()


def test_urls_that_differ_in_their_query_alone_are_two(tmp_path):
    one, other = picture(size=(40, 30)), picture(size=(30, 40))
    with gallery(one, other) as (url, seen):
        for query in ("?v=1", "?v=2"):
            store(url + query, f"file://{tmp_path}/cover.jpeg", image_hosts="127.0.0.1")
        assert len(seen) == 2
    assert (tmp_path / "cover.jpeg").read_bytes() == other
    assert "v=" not in (tmp_path / "cover.jpeg.json").read_text()


def test_overwrite_always_writes(tmp_path):
    with gallery(picture()) as (url, seen):
        for _ in range(2):
            before = (tmp_path / "fox.jpeg").stat().st_ino if list(tmp_path.iterdir()) else 0
            store(url, f"file://{tmp_path}/", image_hosts="127.0.0.1", if_exists="overwrite")
        assert (tmp_path / "fox.jpeg").stat().st_ino != before
        assert len(seen) == 2


@pytest.mark.parametrize("dst", ["cover.jpeg", ""])
def test_fail_fails_before_anything_is_fetched(tmp_path, dst):
    (tmp_path / (dst or "fox.png")).write_bytes(b"older")
    with gallery(picture()) as (url, seen):
        with pytest.raises(AirflowFailException, match="exists, and if_exists is 'fail': nothing was written"):
            store(url, f"file://{tmp_path}/{dst}", image_hosts="127.0.0.1", if_exists="fail")
        assert not seen
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]


def test_fail_takes_a_free_place_and_never_one_that_was_taken_meanwhile(tmp_path):
    with gallery(picture()) as (url, _):
        store(url, f"file://{tmp_path}/cover.jpeg", image_hosts="127.0.0.1", if_exists="fail")

    def taken_meanwhile(connection):
        read_head(connection)
        (tmp_path / "other.jpeg").write_bytes(b"somebody else's")
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + picture())

    with server(taken_meanwhile) as (port, _), pytest.raises(AirflowFailException, match="exists"):
        store(f"http://127.0.0.1:{port}/x", f"file://{tmp_path}/other.jpeg", image_hosts="127.0.0.1", if_exists="fail")
    assert (tmp_path / "other.jpeg").read_bytes() == b"somebody else's"
    assert names(tmp_path) == ["cover.jpeg", "cover.jpeg.json", "other.jpeg"]


# The sidecar


def test_the_sidecar_says_what_it_is_where_it_is_from_and_who_stored_it(drawn, tmp_path):
    result = store(drawn["image_url"], f"file://{tmp_path}/cover.jpeg", metadata=drawn)
    sidecar = json.loads((tmp_path / "cover.jpeg.json").read_text())
    stored_at = sidecar.pop("stored_at")
    assert sidecar == {
        **drawn,
        "source": drawn["image_url"],
        "sha256": result["sha256"],
        "bytes": result["size"],
        "content_type": "image/jpeg",
        "width": 1024,
        "height": 1024,
        "dag_id": "book",
        "task_id": "store",
        "run_id": "manual__1",
        "map_index": 3,
    }
    assert stored_at.endswith("+00:00")


def test_no_sidecar_is_written_if_none_is_wanted(image_url, tmp_path):
    store(image_url, f"file://{tmp_path}/cover.jpeg", write_sidecar=False)
    assert names(tmp_path) == ["cover.jpeg"]


def test_the_key_is_in_no_sidecar(drawn, connected, tmp_path):
    store(drawn["image_url"], f"file://{tmp_path}/cover.jpeg", metadata=drawn)
    assert connected.api_key not in (tmp_path / "cover.jpeg.json").read_text()


# A signed URL


SIGNED = "?X-Amz-Signature=s3cret&X-Amz-Expires=60"


def drawn_at(url):
    return {"id": "fox", "status": "success", "image_url": url, "prompt": "A fox"}


@pytest.mark.parametrize("way", ["illustration", "metadata", "url alone"])
def test_a_signature_is_in_no_sidecar_no_result_no_event_and_no_log(tmp_path, caplog, way):
    caplog.set_level(logging.DEBUG, logger="airflow_provider_talecraft")
    asset, alias, events = Asset("s3://books/fox"), AssetAlias("pictures"), Events()
    with gallery(picture()) as (plain, _):
        url = plain + SIGNED
        given = {
            "illustration": {"illustration": {**drawn_at(url), "preview": " HTTPS://me:s3cret@cdn.test/x" + SIGNED}},
            "metadata": {"image_url": url, "metadata": drawn_at(url)},
            "url alone": {"image_url": url},
        }[way]
        operator = IllustrationToObjectStorageOperator(
            task_id="store", dst=f"file://{tmp_path}/", image_hosts="127.0.0.1", outlets=[asset, alias], **given
        )
        result = operator.execute({"ti": TI, "outlet_events": events})
    told = str(result) + str(events[asset].extra) + str(events[alias].added) + caplog.text
    assert "s3cret" not in told + next(tmp_path.glob("*.json")).read_text()


@pytest.mark.parametrize("ids", [True, False])
def test_what_stands_is_not_fetched_again_when_its_signature_has_expired(tmp_path, ids):
    answers = iter([b"200 OK", *[b"403 Forbidden"] * 9])
    body = picture()

    def handle(connection):
        read_head(connection)
        connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n" % (next(answers), len(body)) + body)

    with server(handle, times=9) as (port, seen):
        url = f"http://127.0.0.1:{port}/fox.jpeg?X-Amz-Signature="
        options = {"image_hosts": "127.0.0.1", "metadata": {"id": "fox"} if ids else None}
        first = store(url + "1", f"file://{tmp_path}/", **options)
        assert store(url + ("2" if ids else "1"), f"file://{tmp_path}/", **options) == first
        assert len(seen) == 1


@pytest.mark.parametrize("way", ["illustration", "image_url"])
def test_a_signature_is_hidden_on_the_page_of_rendered_fields(way):
    with DAG("signed", schedule=None):
        url = "https://cdn.test/fox.jpeg" + SIGNED
        value = url if way == "image_url" else drawn_at(url)
        operator = IllustrationToObjectStorageOperator(task_id="store", dst="file:///tmp/", **{way: value})
    operator.render_template_fields({})
    assert "s3cret" not in str(redact(getattr(operator, way)))
    assert "s3cret" in str(getattr(operator, way))


# Names that stores find hard


def test_a_name_of_eighty_chinese_characters_is_stored(image_url, tmp_path):
    name = "狐" * 80 + ".jpeg"
    store(image_url, f"file://{tmp_path}/{name}")
    assert names(tmp_path) == [name, name + ".json"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EACCES, errno.ENOSYS])
def test_fail_needs_no_hard_links(image_url, tmp_path, monkeypatch, number):
    def no_links(*_):
        raise OSError(number, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    store(image_url, f"file://{tmp_path}/cover.jpeg", if_exists="fail")
    place = ObjectLocation(ObjectStoragePath(f"file://{tmp_path}/cover.jpeg"))
    with pytest.raises(FileExistsError):
        place.put(b"another", content_type="image/png", exclusive=True)
    assert place.size() > 1000
    assert names(tmp_path) == ["cover.jpeg", "cover.jpeg.json"]


def test_a_picture_of_another_type_under_the_same_name_replaces_the_older_one_and_its_sidecar(tmp_path):
    options = {"image_hosts": "127.0.0.1", "metadata": {"id": "fox"}}
    for kind in ("JPEG", "PNG"):
        with gallery(picture(kind)) as (url, _):
            store(url, f"file://{tmp_path}/", **options)
    assert names(tmp_path) == ["fox.png", "fox.png.json"]


@pytest.mark.parametrize("sidecar", [None, "{}", '{"sha256": "0"}'])
def test_a_file_that_our_sidecar_does_not_describe_is_never_removed(tmp_path, sidecar):
    (tmp_path / "fox.jpeg").write_bytes(b"somebody else's")
    if sidecar:
        (tmp_path / "fox.jpeg.json").write_text(sidecar)
    with gallery(picture("PNG")) as (url, _):
        store(url, f"file://{tmp_path}/", image_hosts="127.0.0.1")
    assert (tmp_path / "fox.jpeg").read_bytes() == b"somebody else's"


@pytest.mark.parametrize("blank", ["\n", " ", "\r\n", "\t"])
def test_a_blank_behind_a_folder_makes_no_file_of_it(image_url, tmp_path, blank):
    result = store(image_url, f" file://{tmp_path}/book/{blank}", write_sidecar=False)
    assert names(tmp_path / "book") == [result["path"].rpartition("/")[2]]


@pytest.mark.parametrize("scheme", ["abfss", "abfs", "ABFSS"])
def test_azures_own_spelling_of_a_folder_is_told_how_airflow_writes_it(scheme):
    with pytest.raises(AirflowFailException, match="Write abfs://container/folder/"):
        store("https://host/x.png", f"{scheme}://pictures@account.dfs.core.windows.net/x/")


def test_storing_is_tried_again_by_default():
    assert IllustrationToObjectStorageOperator(task_id="s", image_url="u", dst="d").retries == 3


# Bad input


@pytest.mark.parametrize("max_bytes", [1, 1000])
def test_after_an_error_the_destination_is_as_it_was(image_url, tmp_path, max_bytes):
    (tmp_path / "cover.jpeg").write_bytes(b"older")
    with pytest.raises(TaleCraftDownloadError, match="larger than max_bytes"):
        store(image_url, f"file://{tmp_path}/cover.jpeg", max_bytes=max_bytes)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("cover.jpeg", b"older")]


def test_a_destination_that_cannot_be_written_leaves_nothing_beside_it(image_url, tmp_path):
    (tmp_path / "cover.jpeg").mkdir()
    with pytest.raises(OSError, match="cover"):
        store(image_url, f"file://{tmp_path}/cover.jpeg")
    assert names(tmp_path) == ["cover.jpeg"]


@pytest.mark.parametrize("value", [7, ["https://host/x.png"], {"image_url": "https://host/x.png"}])
def test_an_image_url_that_is_no_string_names_its_type(value, tmp_path):
    with pytest.raises(TaleCraftDownloadError, match=type(value).__name__):
        store(value, f"file://{tmp_path}/")


@pytest.mark.parametrize(
    ("ways", "message"),
    [
        ({}, "either illustration or image_url"),
        ({"illustration": {"image_url": "https://host/x"}, "image_url": "https://host/x"}, "either illustration or"),
        ({"illustration": {"image_url": "https://host/x"}, "metadata": {}}, "brings its own"),
    ],
)
def test_which_picture_is_said_in_one_way_alone(ways, message):
    with pytest.raises(ValueError, match=message):
        IllustrationToObjectStorageOperator(task_id="store", dst="file:///tmp/x/", **ways)


@pytest.mark.parametrize("illustration", ["https://host/x.png", ["https://host/x.png"], {"prompt": {}}])
def test_an_illustration_that_is_none_is_named(illustration, tmp_path):
    with pytest.raises(AirflowFailException, match="illustration"):
        store(None, f"file://{tmp_path}/", illustration=illustration)


def test_an_illustration_is_the_url_and_the_facts(tmp_path):
    drawn = {"id": "fox", "image_url": "", "prompt": "A fox", "style": "children_book"}
    with gallery(picture()) as (url, _):
        store(None, f"file://{tmp_path}/", illustration={**drawn, "image_url": url}, image_hosts=["127.0.0.1"])
    sidecar = json.loads((tmp_path / "fox.jpeg.json").read_text())
    assert (sidecar["prompt"], sidecar["style"], sidecar["source"]) == ("A fox", "children_book", url)
    assert "image_url" not in sidecar


@pytest.mark.parametrize("dst", ["", "bucket/folder/", "/tmp/x", None, 7])
def test_a_destination_that_is_no_uri_is_named(dst):
    with pytest.raises(AirflowFailException, match="dst must be a URI"):
        store("https://host/x.png", dst)


def test_a_destination_without_a_filesystem_says_what_to_do():
    with pytest.raises(AirflowFailException, match="There is no filesystem for nowhere://x/y"):
        store("https://host/x.png", "nowhere://x/y")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("a fox", "must be a mapping, not str"),
        ({"a b": 1}, "keys are letters, digits and underscores"),
        ({1: 1}, "keys are letters"),
        ({"prompt": ["a"]}, r"metadata\['prompt'\] is a list"),
        ({"prompt": {"a": 1}}, "is a dict"),
        ({"score": float("nan")}, "is nan, which JSON has no number for"),
        ({"score": float("-inf")}, "is -inf"),
    ],
)
def test_metadata_is_flat(metadata, message, tmp_path):
    with pytest.raises(AirflowFailException, match=message):
        store("https://host/x.png", f"file://{tmp_path}/", metadata=metadata)


@pytest.mark.parametrize(
    "hosts", [7, [None], ["https://cdn.test"], ["cdn.test/path"], "a b", "*.cdn.internal", "a;b", "a|b", "?.test"]
)
def test_hosts_that_are_none_are_named(hosts, tmp_path):
    with pytest.raises(TaleCraftInvalidRequestError, match="image_hosts"):
        store("https://host/x.png", f"file://{tmp_path}/", image_hosts=hosts)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"max_bytes": 0}, "max_bytes must be a whole number of at least 1"),
        ({"max_bytes": -1}, "max_bytes must be a whole number of at least 1"),
        ({"if_exists": "skip"}, "if_exists must be one of skip_same, overwrite, fail"),
    ],
)
def test_an_option_that_is_wrong_is_refused_when_the_dag_is_parsed(option, message):
    with pytest.raises(ValueError, match=message):
        IllustrationToObjectStorageOperator(task_id="s", image_url="u", dst="d", **option)


# Which hosts


def test_the_connections_own_host_needs_no_https_and_no_public_address(image_url, tmp_path):
    assert image_url.startswith("http://127.0.0.1:")
    assert store(image_url, f"file://{tmp_path}/")["size"]


def test_another_port_of_the_same_host_is_another_host(connected, tmp_path):
    with gallery(picture()) as (url, seen), pytest.raises(TaleCraftDownloadError, match="plain http"):
        store(url, f"file://{tmp_path}/")
    assert not seen


def test_the_connections_image_hosts_are_trusted_and_the_operators_replace_them(connect, sandbox, tmp_path):
    connect(host=sandbox.url, password="k", extra={"image_hosts": "127.0.0.1"})
    with gallery(picture()) as (url, _):
        store(url, f"file://{tmp_path}/")
        with pytest.raises(TaleCraftDownloadError, match="plain http"):
            store(url, f"file://{tmp_path}/other/", image_hosts=["cdn.test"])


def test_without_a_connection_there_is_no_exception(tmp_path):
    with gallery(picture()) as (url, seen), pytest.raises(TaleCraftDownloadError, match="plain http"):
        store(url, f"file://{tmp_path}/", talecraft_conn_id="talecraft_missing")
    assert not seen


def test_the_connections_key_is_not_needed(connect, image_url, sandbox, tmp_path):
    connect(host=sandbox.url)
    assert store(image_url, f"file://{tmp_path}/")["size"]


def test_every_parameter_is_documented():
    parameters = list(inspect.signature(IllustrationToObjectStorageOperator.__init__).parameters)[1:-1]
    assert [name for name in parameters if f":param {name}:" not in IllustrationToObjectStorageOperator.__doc__] == []

"""Many pictures land under one folder, each as a single one would; another try does only what is missing."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, Asset, AssetAlias
from asset_events import Events
from loopback import read_head, server
from pictures import picture

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures import fetching
from airflow_provider_talecraft.transfers import illustration_batch_to_object_storage as module
from airflow_provider_talecraft.transfers.illustration_to_object_storage import (
    IllustrationBatchToObjectStorageOperator,
)

TI = SimpleNamespace(dag_id="book", task_id="store", run_id="manual__1", map_index=-1)


@pytest.fixture(autouse=True)
def _no_wait_between_attempts(monkeypatch):
    monkeypatch.setattr(fetching, "_backoff", lambda _: 0)


@contextmanager
def gallery(**answers):
    """Serve a picture at every path, but for *answers* by a part of the path; yield the URL and what was asked for."""
    asked = []
    body = picture()

    def handle(connection):
        path = read_head(connection).split()[1]
        asked.append(path)
        answer = next((answers[name] for name in answers if name in path), None)
        connection.sendall(answer or b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with server(handle, times=999) as (port, _):
        yield f"http://127.0.0.1:{port}", asked


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def entries(url, count=3, **fields):
    return [
        {"index": n, "key": str(n), "id": f"id-{n}", "status": "success", "image_url": f"{url}/{n}.jpeg",
         "prompt": f"Page {n} {{{{ ds }}}}", "style": "children_book", "aspect_ratio": "4:3", **fields}
        for n in range(count)
    ]  # fmt: skip


def store(illustrations, folder, **options):
    options = {"image_hosts": ["127.0.0.1"], "dst": f"file://{folder}/", "max_concurrency": 2, **options}
    operator = IllustrationBatchToObjectStorageOperator(task_id="store", illustrations=illustrations, **options)
    return operator.execute({"ti": TI})


def names(folder, pattern="*.jpeg"):
    return sorted(path.name for path in folder.glob(pattern))


def test_all_are_stored_in_one_folder_in_order_and_each_is_described(tmp_path):
    with gallery() as (url, _):
        result = store(entries(url), tmp_path)
    assert [(entry["index"], entry["key"], entry["path"]) for entry in result] == [
        (n, str(n), f"file://{tmp_path}/000{n}.jpeg") for n in range(3)
    ]
    assert set(result[0]) == {"index", "key", "path", "size", "sha256", "content_type", "width", "height"}
    sidecar = json.loads((tmp_path / "0002.jpeg.json").read_text())
    assert (sidecar["prompt"], sidecar["id"], sidecar["run_id"]) == ("Page 2 {{ ds }}", "id-2", "manual__1")


def test_another_try_fetches_only_what_does_not_stand(tmp_path):
    with gallery() as (url, asked):
        first = store(entries(url), tmp_path)
        (tmp_path / "0001.jpeg").unlink()
        asked.clear()
        assert store(entries(url), tmp_path) == first
        assert asked == ["/1.jpeg"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["cover", "page one", "3/4"], ["3-4.jpeg", "cover.jpeg", "page-one.jpeg"]),
        (["a b", "a-b", "A b"], ["A-b.0002.jpeg", "a-b.0000.jpeg", "a-b.0001.jpeg"]),
        (["a b", "a-b", "a-b-0000"], ["a-b-0000.jpeg", "a-b.0000.jpeg", "a-b.0001.jpeg"]),
        (["a b", "a-b", "a-b.0000"], ["a-b-0000.jpeg", "a-b.0000.jpeg", "a-b.0001.jpeg"]),
        (["0001", "1", "x" * 90], ["0001.0000.jpeg", "0001.0001.jpeg", "x" * 80 + ".jpeg"]),
        (["x" * 80, "x" * 81, "X" * 82], ["X" * 80 + ".0002.jpeg", "x" * 80 + ".0000.jpeg", "x" * 80 + ".0001.jpeg"]),
        (["狐狸", "狐", "0"], ["0000.jpeg", "0001.jpeg", "0.jpeg"]),
        (["../x", "..", "/"], ["0001.jpeg", "0002.jpeg", "x.jpeg"]),
    ],
)
def test_files_are_named_after_keys_in_plain_characters_and_never_two_alike(tmp_path, keys, expected):
    with gallery() as (url, _):
        store([{**entry, "key": key} for entry, key in zip(entries(url), keys, strict=True)], tmp_path)
    assert names(tmp_path) == sorted(expected)


def test_the_output_of_mapped_tasks_is_stored_too(tmp_path):
    with gallery() as (url, _):
        drawn = [{"id": f"i{n}", "status": "success", "image_url": f"{url}/{n}"} for n in range(2)]
        result = store(drawn, tmp_path)
    assert [entry["key"] for entry in result] == ["0", "1"]
    assert names(tmp_path) == ["i0.jpeg", "i1.jpeg"]


def test_the_name_of_a_mapped_tasks_picture_stays_when_a_failed_one_before_it_is_drawn_later(tmp_path):
    """Airflow's list of what mapped tasks returned has no gap where one failed."""
    with gallery() as (url, asked):
        drawn = [{"id": f"i{n}", "status": "success", "image_url": f"{url}/{n}"} for n in range(3)]
        store([drawn[0], drawn[2]], tmp_path)
        store(drawn, tmp_path)
        assert asked.count("/2") == 1
    assert names(tmp_path) == ["i0.jpeg", "i1.jpeg", "i2.jpeg"]


def test_an_entry_keeps_its_own_number_in_a_list_that_was_picked_from(tmp_path):
    with gallery() as (url, _):
        store(entries(url)[1:], tmp_path)
    assert names(tmp_path) == ["0001.jpeg", "0002.jpeg"]


def test_a_signature_is_in_no_sidecar_no_result_no_manifest_and_no_log(tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="airflow_provider_talecraft")
    with gallery(**{"1.jpeg": NOT_FOUND}) as (url, _):
        given = [{**entry, "image_url": entry["image_url"] + "?sig=s3cret"} for entry in entries(url)]
        with pytest.raises(TaleCraftDownloadError) as caught:
            store(given, tmp_path, manifest_path=f"file://{tmp_path}/stored.jsonl\n")
    assert "s3cret" not in str(caught.value) + caplog.text
    assert len(list(tmp_path.iterdir())) == 5
    assert not [path for path in tmp_path.iterdir() if b"s3cret" in path.read_bytes()]


def test_one_that_was_not_drawn_is_gone_by_and_told(tmp_path):
    with gallery() as (url, _):
        given = [*entries(url, 2), {"index": 2, "key": "last", "error": "Generation failed", "prompt": "p"}]
        result = store(given, tmp_path)
    assert result[2] == {"index": 2, "key": "last", "error": "not drawn: Generation failed"}
    assert len(names(tmp_path)) == 2


def test_one_that_cannot_be_stored_is_named_when_all_others_are(tmp_path):
    with gallery(**{"1.jpeg": NOT_FOUND}) as (url, _):
        with pytest.raises(TaleCraftDownloadError, match=r"1 of 3 pictures are not stored.*'1': .*HTTP 404"):
            store(entries(url), tmp_path)
    assert names(tmp_path) == ["0000.jpeg", "0002.jpeg"]


def test_a_message_names_only_some_of_many(tmp_path):
    with gallery(jpeg=NOT_FOUND) as (url, _), pytest.raises(TaleCraftDownloadError, match="and 15 more"):
        store(entries(url, module.NAMED + 15), tmp_path)


def test_taken_places_fail_the_task_for_good_when_told_so(tmp_path):
    with gallery() as (url, _):
        store(entries(url), tmp_path)
        with pytest.raises(AirflowFailException, match=r"3 of 3 pictures are not stored.*if_exists is 'fail'"):
            store(entries(url), tmp_path, if_exists="fail")


def test_a_store_that_does_not_take_anything_ends_all_of_it(tmp_path):
    (tmp_path / "book").write_text("a file where a folder should be")
    with gallery() as (url, asked), pytest.raises(OSError, match="book"):
        store(entries(url, 50), tmp_path / "book")
    assert len(asked) <= 4


# Large outputs


def manifest_of(folder, given):
    path = folder / "drawn.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in given))
    return {"manifest_path": f"file://{path}", "count": len(given)}


def test_a_manifest_of_a_batch_is_stored_and_becomes_another(tmp_path):
    with gallery() as (url, _):
        given = manifest_of(tmp_path, entries(url, 5))
        manifest = f"file://{tmp_path}/stored.jsonl"
        result = store(given, tmp_path / "book", manifest_path=manifest, manifest_threshold=4)
    lines = [json.loads(line) for line in (tmp_path / "stored.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == [0, 1, 2, 3, 4]
    assert result == {
        "path": f"file://{tmp_path}/book/", "count": 5, "stored": 5, "failed": 0, "not_drawn": 0,
        "bytes": sum(line["size"] for line in lines), "manifest_path": manifest,
    }  # fmt: skip


@pytest.mark.parametrize(("count", "kind"), [(2, list), (3, dict)])
def test_more_than_the_threshold_are_summed_up(tmp_path, count, kind):
    with gallery() as (url, _):
        assert isinstance(store(entries(url, count), tmp_path, manifest_threshold=2), kind)


def test_a_manifest_is_written_when_some_have_failed(tmp_path):
    with gallery(**{"1.jpeg": NOT_FOUND}) as (url, _), pytest.raises(TaleCraftDownloadError):
        store(entries(url), tmp_path, manifest_path=f"file://{tmp_path}/stored.jsonl")
    assert ["error" in json.loads(line) for line in (tmp_path / "stored.jsonl").read_text().splitlines()] == [
        False, True, False,
    ]  # fmt: skip


# Bad input


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("https://host/x.png", "not one str"),
        (None, "not one NoneType"),
        ({"image_url": "https://host/x.png"}, "not one dict"),
        ([], "empty"),
        (["https://host/x.png"], r"illustrations\[0\] must be a mapping, not str"),
        ([{"id": "1"}], r"illustrations\[0\] has neither image_url nor error"),
        ([{"image_url": 7}], r"illustrations\[0\] has neither"),
        ({"manifest_path": "file:///no/such/manifest.jsonl"}, "cannot be read"),
    ],
)
def test_what_is_no_output_of_a_batch_is_named_before_anything_is_fetched(given, message, tmp_path):
    with pytest.raises(TaleCraftDownloadError, match=message):
        store(given, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["nonsense", '{"image_url": "https://host/x"}\nnonsense', "[]"])
def test_a_manifest_that_was_damaged_is_named_before_anything_is_fetched(content, tmp_path):
    (tmp_path / "drawn.jsonl").write_text(content)
    with pytest.raises(TaleCraftDownloadError, match="nothing was fetched"):
        store({"manifest_path": f"file://{tmp_path}/drawn.jsonl"}, tmp_path / "book")
    assert not (tmp_path / "book").exists()


def test_a_destination_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(AirflowFailException, match="end in a slash"):
        store([{"image_url": "https://host/x"}], tmp_path, dst=f"file://{tmp_path}")


@pytest.mark.parametrize("option", [{"max_concurrency": 0}, {"manifest_threshold": -1}, {"if_exists": "skip"}])
def test_an_option_that_is_wrong_is_refused_when_the_dag_is_parsed(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        IllustrationBatchToObjectStorageOperator(task_id="s", illustrations=[], dst="d/", **option)


# While it runs


def test_it_tells_how_far_it_is(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "PROGRESS_INTERVAL", 0)
    with gallery() as (url, _), caplog.at_level(logging.INFO):
        store(entries(url), tmp_path)
    assert "3 of 3 pictures stand, 0 failed, 0 were not drawn, 0 left" in caplog.text


def test_a_kill_begins_no_further_picture(tmp_path):
    operator = IllustrationBatchToObjectStorageOperator(
        task_id="store", illustrations=[], dst=f"file://{tmp_path}/", image_hosts="127.0.0.1", max_concurrency=1
    )
    body = picture()

    def handle(connection):
        read_head(connection)
        operator.on_kill()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with server(handle, times=9) as (port, seen):
        operator.illustrations = entries(f"http://127.0.0.1:{port}", 9)
        with pytest.raises(AirflowException, match="told to stop: 1 of 9 pictures stand"):
            operator.execute({"ti": TI})
        assert len(seen) == 1
    assert names(tmp_path) == ["0000.jpeg"]


def test_the_events_of_its_asset_outlets_and_openlineage_are_told_of_the_folder(tmp_path, connected):
    asset, alias, events = Asset("s3://books/pages"), AssetAlias("books"), Events()
    with gallery() as (url, _):
        operator = IllustrationBatchToObjectStorageOperator(
            task_id="store", illustrations=entries(url), dst=f"file://{tmp_path}/", image_hosts="127.0.0.1",
            outlets=[asset, alias],
        )  # fmt: skip
        operator.execute({"ti": TI, "outlet_events": events})
    extra = events[asset].extra
    assert (extra["path"], extra["count"], extra["stored"]) == (f"file://{tmp_path}/", 3, 3)
    ((uri, told),) = events[alias].added
    assert (uri.rstrip("/"), told) == (f"file://{tmp_path}", extra)  # Airflow has its way with a last slash
    pytest.importorskip("airflow.providers.openlineage", reason="told only where it is installed")
    lineage = operator.get_openlineage_facets_on_complete(None)
    assert [(data.namespace, data.name) for data in lineage.inputs] == [(connected.url, "/api/v1/generate")]
    assert [(data.namespace, data.name) for data in lineage.outputs] == [("file", str(tmp_path))]

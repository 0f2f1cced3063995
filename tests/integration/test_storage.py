"""Pictures land in real stores, the same cases in each: whole, described, once; and not at all if anything is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import psutil
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from loopback import gallery, read_head, server
from patience import PATIENCE, until
from pictures import large_jpeg, picture
from state_store import Store, TaskInstance

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator
from airflow_provider_talecraft.pictures.place import ObjectLocation
from airflow_provider_talecraft.transfers.illustration_to_object_storage import (
    IllustrationBatchToObjectStorageOperator,
    IllustrationToObjectStorageOperator,
)

pytestmark = pytest.mark.integration

ONE, OTHER = picture(size=(40, 30)), picture("PNG", size=(30, 40))
FACTS = {"id": "fox-1", "prompt": "A fox, “quoted” — 雪中的狐狸\n", "style": "children_book", "aspect_ratio": "4:3"}
TI = SimpleNamespace(dag_id="book", task_id="store", run_id="manual__1", map_index=-1)


def land(store, url, name="", **options):
    """Run the operator into *store*; a *name* of "" is its folder."""
    defaults = {"dst": store.uri(name), "dst_conn_id": store.conn_id, "image_hosts": ["127.0.0.1"], "metadata": FACTS}
    operator = IllustrationToObjectStorageOperator(task_id="store", image_url=url, **{**defaults, **options})
    return operator.execute({"ti": TI})


def test_a_picture_lands_as_it_was_served_with_its_type_its_facts_and_its_sidecar(store):
    with gallery(OTHER) as (url, _):
        result = land(store, url)
    assert set(store.objects()) == {"fox-1.png", "fox-1.png.json"}
    assert store.read("fox-1.png") == OTHER
    assert result["path"].endswith(f"{store.uri('fox-1.png').partition('://')[2]}")
    assert (result["size"], result["width"], result["height"]) == (len(OTHER), 30, 40)
    assert result["sha256"] == hashlib.sha256(OTHER).hexdigest()
    assert store.content_type("fox-1.png") in {"image/png", None}
    assert store.content_type("fox-1.png.json") in {"application/json", None}
    sidecar = json.loads(store.read("fox-1.png.json"))
    assert FACTS.items() <= sidecar.items()
    assert (sidecar["source"], sidecar["sha256"]) == (url, result["sha256"])
    if (metadata := store.metadata("fox-1.png")) is not None:
        assert metadata["sha256"] == result["sha256"]
        assert metadata["style"] == "children_book"
        assert metadata["prompt"].isascii()


def test_what_is_returned_can_be_opened_by_the_next_task(store):
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    with gallery(ONE) as (url, _):
        result = land(store, url)
    assert ObjectStoragePath(result["path"], conn_id=store.conn_id).read_bytes() == ONE


@pytest.mark.parametrize("sidecar", [True, False], ids=["sidecar", "no sidecar"])
def test_the_same_picture_is_neither_stored_nor_with_a_sidecar_fetched_again(store, sidecar):
    with gallery(ONE) as (url, seen):
        first = land(store, url, write_sidecar=sidecar)
        assert land(store, url, write_sidecar=sidecar) == first
        assert len(seen) == (1 if sidecar else 2)
    assert store.read("fox-1.jpeg") == ONE


def test_a_sidecar_is_not_believed_against_the_bytes(store):
    with gallery(ONE) as (url, seen):
        land(store, url)
        store.path("fox-1.jpeg").write_bytes(b"x" + ONE[1:])
        land(store, url)
        assert len(seen) == 2
    assert store.read("fox-1.jpeg") == ONE


def test_another_picture_replaces_it_with_its_sidecar(store):
    with gallery(ONE) as (url, _):
        land(store, url, "cover.jpeg")
    with gallery(picture(size=(50, 50))) as (url, _):
        result = land(store, url, "cover.jpeg")
    assert json.loads(store.read("cover.jpeg.json"))["sha256"] == result["sha256"]
    assert hashlib.sha256(store.read("cover.jpeg")).hexdigest() == result["sha256"]


def test_fail_leaves_what_stands(store):
    with gallery(ONE) as (url, seen):
        land(store, url, "cover.jpeg", if_exists="fail")
        with pytest.raises(AirflowFailException, match="exists, and if_exists is 'fail'"):
            land(store, url, "cover.jpeg", if_exists="fail")
        assert len(seen) == 1
    assert store.read("cover.jpeg") == ONE


def test_fail_never_takes_a_place_that_was_taken_meanwhile(store):
    def taken_meanwhile(connection):
        read_head(connection)
        store.path("cover.jpeg").write_bytes(b"somebody else's")
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + ONE)

    store.path("placeholder").parent.mkdir(parents=True, exist_ok=True)
    with server(taken_meanwhile) as (port, _), pytest.raises(AirflowFailException, match="exists"):
        land(store, f"http://127.0.0.1:{port}/fox.jpeg", "cover.jpeg", if_exists="fail")
    assert store.read("cover.jpeg") == b"somebody else's"
    assert set(store.objects()) == {"cover.jpeg"}


def test_a_place_that_was_taken_after_the_last_look_is_not_taken_again(store, tmp_path):
    """The store itself has to refuse: between a look and an upload there is always time."""

    class Unseen(ObjectLocation):
        looks = 0

        def size(self):
            self.looks += 1
            return None if self.looks == 1 else super().size()

    source = tmp_path / "source"
    source.write_bytes(ONE)
    place = Unseen(store.path("cover.jpeg"))
    place.put(source, content_type="image/jpeg", exclusive=True)
    assert store.read("cover.jpeg") == ONE
    source.write_bytes(OTHER)
    place.looks = 0
    with pytest.raises(FileExistsError, match="exists"):
        place.put(source, content_type="image/jpeg", exclusive=True)
    assert store.read("cover.jpeg") == ONE


def test_an_error_leaves_nothing(store):
    def cut_short(connection):
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + ONE[:-20])

    with server(cut_short) as (port, _), pytest.raises(TaleCraftDownloadError):
        land(store, f"http://127.0.0.1:{port}/fox.jpeg")
    assert store.objects() == {}


def test_metadata_that_does_not_fit_the_object_is_in_the_sidecar(store):
    long = "狐" * 5000
    with gallery(ONE) as (url, _):
        land(store, url, metadata={"prompt": long, "style": "children_book"})
    assert json.loads(store.read("fox.jpeg.json"))["prompt"] == long
    if (metadata := store.metadata("fox.jpeg")) is not None:
        assert {"sha256", "style"} <= set(metadata)
        assert "prompt" not in metadata


def test_a_store_that_refuses_says_so_without_its_secret(store, monkeypatch):
    if store.name in {"file", "gcs"}:
        pytest.skip("a local folder and the fake GCS ask nobody who he is")
    secret = store.server.secret
    wrong = secret[:-8] + "AAAAAA==" if store.name == "azure" else "wrong-secret"
    for name, value in store.environment.items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv("AIRFLOW_CONN_STORE_REFUSED", value.replace(secret, wrong))
    with gallery(ONE) as (url, _), pytest.raises(Exception) as caught:  # noqa: PT011  # each store's own
        land(store, url, dst_conn_id="store_refused")
    assert wrong not in str(caught.value)
    assert store.objects() == {}


def test_a_bucket_that_is_not_there_is_an_error(store):
    if store.name == "file":
        pytest.skip("a local folder is made")
    with gallery(ONE) as (url, _), pytest.raises(Exception) as caught:  # noqa: PT011  # each store's own
        land(store, url, dst=f"{store.scheme}://no-such-bucket/x/")
    assert "no-such-bucket" in str(caught.value) or "bucket" in str(caught.value).lower()


# A whole batch


def test_a_batch_and_its_pictures_go_by_manifests_in_the_store(store, connected):
    pages = [{"key": f"page-{number}", "prompt": f"Page {number}, 狐狸."} for number in range(6)]
    drawn = draw(store, pages, state_store=Store())
    assert (drawn["delivered"], drawn["manifest_path"]) == (6, store.uri("drawn.jsonl"))
    assert [json.loads(line)["key"] for line in store.read("drawn.jsonl").splitlines()] == [p["key"] for p in pages]
    options = {
        "illustrations": drawn, "dst": store.uri("book/"), "dst_conn_id": store.conn_id,
        "manifest_path": store.uri("stored.jsonl"), "manifest_conn_id": store.conn_id, "manifest_threshold": 5,
    }  # fmt: skip
    for _ in range(2):  # another try finds all of it standing
        stored = IllustrationBatchToObjectStorageOperator(task_id="store", **options).execute({"ti": TI})
        assert (stored["stored"], stored["failed"]) == (6, 0)
    names = {f"book/page-{number}.jpeg" for number in range(6)}
    assert set(store.objects()) == {"drawn.jsonl", "stored.jsonl", *names, *(f"{name}.json" for name in names)}
    lines = [json.loads(line) for line in store.read("stored.jsonl").splitlines()]
    assert [hashlib.sha256(store.read(f"book/{line['key']}.jpeg")).hexdigest() for line in lines] == [
        line["sha256"] for line in lines
    ]


def test_where_airflow_keeps_no_state_the_records_in_the_store_do(store, connected):
    pages = [f"Page {number}." for number in range(6)]
    first = draw(store, pages, state_store=None)
    again = draw(store, pages, state_store=None, try_number=2)
    assert (again["delivered"], again["credits_this_try"]) == (6, 0)
    assert first["credits_this_try"] == 12
    assert len(connected.ledger()["charges"]) == 6
    assert sum(".records/" in name for name in store.objects()) == 2, "a page of records, and one of the batch"


def draw(store, prompts, *, state_store, try_number=1):
    operator = GenerateIllustrationBatchOperator(
        task_id="draw", prompts=prompts, max_concurrency=3, requests_per_minute=60_000, manifest_threshold=5,
        manifest_path=store.uri("drawn.jsonl"), manifest_conn_id=store.conn_id,
    )  # fmt: skip
    return operator.execute({"ti": TaskInstance(try_number), "task_state_store": state_store})


# Killed in the middle

#: More than an upload puts in place within the time between two looks at it.
LARGE = 160 * 1024 * 1024
LANDING = """
import sys
from pathlib import Path
from airflow.providers.common.compat.sdk import ObjectStoragePath
from airflow_provider_talecraft.pictures.place import ObjectLocation
source, uri, conn_id = sys.argv[1:]
place = ObjectLocation(ObjectStoragePath(uri, conn_id=conn_id or None))
place.size()  # loads the store's libraries
print("landing", flush=True)
place.put(Path(source), content_type="image/jpeg", metadata={"sha256": "0"})
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.jpeg"
    path.write_bytes(large_jpeg(LARGE))
    return path


@contextmanager
def landing(store, source):
    """A process that has begun to put *source* at cover.jpeg; whatever happens, it ends."""
    with subprocess.Popen(
        [sys.executable, "-c", LANDING, str(source), store.uri("cover.jpeg"), store.conn_id or ""],
        env={**os.environ, **store.environment}, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert any(line == "landing\n" for line in process.stdout), "it did not come so far"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("before", [None, ONE], ids=["nothing before", "a picture before"])
def test_a_worker_that_is_killed_in_the_middle_of_an_upload_leaves_what_was(store, large, before):
    if store.name not in {"file", "s3"}:
        pytest.skip("an upload's beginning can be seen in these two")
    if before:
        store.path("cover.jpeg").parent.mkdir(parents=True, exist_ok=True)
        store.path("cover.jpeg").write_bytes(before)

    def unfinished():
        return store.unfinished() if store.name == "s3" else any(store.folder.glob(".*.part"))

    def begun():
        assert process.poll() is None, "it ended before it could be killed"
        return unfinished()

    with landing(store, large) as process:
        until(begun, "it did not begin", pause=0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE) == -signal.SIGKILL
    assert unfinished(), "it was in the middle"
    standing = {name: size for name, size in store.objects().items() if not name.endswith(".part")}
    assert standing == ({"cover.jpeg": len(before)} if before else {})
    with landing(store, large) as process:
        assert process.wait(PATIENCE) == 0
    assert store.objects()["cover.jpeg"] == LARGE


def test_an_upload_holds_a_few_parts_at_a_time_whatever_its_size(store, large):
    """160 MiB go through with less than half of that in memory, beside what the libraries take."""
    with landing(store, large) as process:
        memory = psutil.Process(process.pid)
        start = peak = memory.memory_info().rss
        while process.poll() is None:
            try:
                peak = max(peak, memory.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.002)
        assert process.wait(PATIENCE) == 0
    assert store.objects()["cover.jpeg"] == LARGE
    assert peak - start < LARGE / 2

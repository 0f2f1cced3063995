"""IllustrationOperator on real stores: found again, redrawn, refused; and two at once, of which one pays."""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from drawing import asked, draw, prompts_of, requests_of
from loopback import gallery
from patience import PATIENCE
from pictures import picture

from airflow_provider_talecraft.pictures.place import ObjectLocation

pytestmark = pytest.mark.integration

#: How often two begin at the same time, on each store; of each kind of beginning.
ROUNDS = {"file": 30, "s3": 30, "azure": 10, "gcs": 10}


def draw_into(store, prompt="A fox", file="", **options):
    options = options if file else {"name": "cover", **options}
    return draw(store.uri(file), prompt, dst_conn_id=store.conn_id, **options)


def put(store, name, content):
    if store.name == "file":
        store.folder.mkdir(parents=True, exist_ok=True)
    ObjectLocation(store.path(name)).put(content, content_type="application/octet-stream")


@pytest.mark.parametrize("file", ["", "cover.jpeg"], ids=["folder", "file"])
def test_a_picture_is_drawn_found_again_and_redrawn_when_its_request_changed(store, connected, file):
    first = draw_into(store, file=file)
    assert draw_into(store, file=file) == {**first, "drawn": False}
    described = "cover.jpeg.json" if file else "cover.json"
    assert store.content_type(described) in {"application/json", None}, "a folder keeps no types"
    changed = draw_into(store, "An owl", file)
    assert (changed["drawn"], changed["path"]) == (True, first["path"])
    assert hashlib.sha256(store.read("cover.jpeg")).hexdigest() == changed["sha256"]
    assert set(store.objects()) == {"cover.jpeg", described}
    assert json.loads(store.read(described))["prompt"] == "An owl"
    assert requests_of(connected) == 2


def test_a_picture_of_another_type_replaces_the_old_file(store, connected):
    draw_into(store)
    with gallery(picture("PNG")) as (url, _):
        data = {"id": "elsewhere", "status": "success", "image_url": url}
        connected.faults([{"body": json.dumps({"code": 0, "message": "success", "data": data}), "charge": True}])
        draw_into(store, "An owl", image_hosts=["127.0.0.1"])
    assert set(store.objects()) == {"cover.png", "cover.json"}


def test_strangers_and_changed_pictures_cost_nothing(store, connected):
    put(store, "cover.png", b"a stranger's")
    with pytest.raises(AirflowFailException, match="somebody else's: nothing was sent"):
        draw_into(store)
    store.path("cover.png").unlink()
    draw_into(store)
    put(store, "cover.jpeg", b"another one")
    with pytest.raises(AirflowFailException, match="not the picture that its receipt describes"):
        draw_into(store)
    assert requests_of(connected) == 1


def test_a_refused_request_leaves_nothing_in_the_store(store, connected):
    connected.faults([{"message": "insufficient credits"}])
    with pytest.raises(Exception, match="insufficient credits"):
        draw_into(store)
    assert store.objects() == {}


def test_a_bucket_that_is_not_there_costs_nothing(store, connected):
    if store.name == "file":
        pytest.skip("a local folder is made")
    with pytest.raises(AirflowFailException, match=r"cannot be read or written.*nothing was sent"):
        draw(f"{store.scheme}://no-such-bucket/x/", dst_conn_id=store.conn_id)
    assert requests_of(connected) == 0


# Two at once


def two_at_once(store, prompt, file):
    """Draw the same picture from two runs that begin together; return what each of them got."""
    together = threading.Barrier(2)

    def run(_):
        together.wait(PATIENCE)
        return draw_into(store, prompt, file)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, range(2)))


@pytest.mark.parametrize("begins", ["with nothing", "with another request's picture", "with a dead worker's receipt"])
def test_of_two_at_once_one_pays_and_both_have_the_picture(store, connected, monkeypatch, begins):
    monkeypatch.setattr("airflow_provider_talecraft.spending.once.LOOK", 0.05)
    connected.faults([{"delay_before_charge": 0.05, "times": None}])
    rounds = ROUNDS[store.name]
    for number in range(rounds):
        prompt, file = f"Round {number}", f"{number}.jpeg"
        if begins == "with another request's picture":
            # One place through all rounds: each finds the picture of the round before.
            file = "cover.jpeg"
        elif begins == "with a dead worker's receipt":
            put(store, f"{file}.json", asked(prompt).encode())
        results = two_at_once(store, prompt, file)
        assert sorted(result["drawn"] for result in results) == [False, True]
        assert {**results[0], "drawn": None} == {**results[1], "drawn": None}
        assert prompts_of(connected).count(prompt) == 1
    assert requests_of(connected) == rounds
    assert not [name for name in store.objects() if not name.endswith((".jpeg", ".json"))], "no claim is left"

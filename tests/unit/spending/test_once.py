"""What is known of a picture before anything is asked, and what is said when another task was faster."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from drawing import another_run, edit, killed_while_asking, receipt

from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
from airflow_provider_talecraft.exceptions import TaleCraftOutcomeUnknownError
from airflow_provider_talecraft.pictures.delivery import Delivery, Picture
from airflow_provider_talecraft.pictures.format import Format
from airflow_provider_talecraft.spending.claims import TakenError
from airflow_provider_talecraft.spending.once import DrawOnce
from airflow_provider_talecraft.spending.record import fingerprint
from airflow_provider_talecraft.spending.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

SHA256 = hashlib.sha256(b"fox").hexdigest()
FOX = [IllustrationRequest("A fox")]
DRAWN = Illustration("1", "success", "https://cdn.test/fox.jpeg?sig=s3cret")


def picture(folder, max_replays=1):
    delivery = Delivery(f"file://{folder}/", None, if_exists="overwrite", max_bytes=9999, trusted=())
    terms = Terms(
        delivery, "when_changed", max_replays=max_replays, lease=lambda: 600, talecraft_conn_id="talecraft_default"
    )
    return DrawOnce(FOX, terms, another_run(), name="cover")


def test_a_picture_is_paid_for_once_it_is_answered(tmp_path):
    assert not picture(tmp_path).is_paid
    killed_while_asking(tmp_path / "cover.json")
    assert not picture(tmp_path).is_paid
    edit(tmp_path / "cover.json", state="answered", image_url="https://cdn.test/fox.jpeg")
    assert picture(tmp_path).is_paid


def test_a_picture_that_stands_is_not_to_be_paid_for_any_more(tmp_path):
    content = b"fox"
    (tmp_path / "cover.jpeg").write_bytes(content)
    killed_while_asking(tmp_path / "cover.json")
    edit(
        tmp_path / "cover.json", state="stored", source="https://cdn.test/fox.jpeg", file="cover.jpeg", bytes=3,
        sha256=SHA256, content_type="image/jpeg",
        width=1, height=1,
    )  # fmt: skip
    standing = picture(tmp_path)
    standing.raise_if_given_up()
    assert (standing.replays, standing.unanswered) == (0, 0)
    assert standing.delivered["path"] == f"file://{tmp_path}/cover.jpeg"
    assert not standing.is_paid


def test_who_comes_too_late_says_where_the_own_picture_is_without_a_signature(tmp_path):
    def slowly(_):
        killed_while_asking(tmp_path / "cover.json", busy_for=600)
        edit(tmp_path / "cover.json", state="answered", image_url="https://cdn.test/another.jpeg")
        return DRAWN

    said = r"this one's is paid for too, and is at https://cdn\.test/fox\.jpeg\.$"
    with pytest.raises(TakenError, match=rf"the receipt file://{tmp_path}/cover\.json.*{said}"):
        picture(tmp_path).obtain(FOX, slowly)
    assert receipt(tmp_path / "cover.json")["image_url"] == "https://cdn.test/another.jpeg"


def test_a_lost_request_is_counted_and_without_a_replay_left_it_is_given_up(tmp_path):
    killed_while_asking(tmp_path / "cover.json")
    edit(tmp_path / "cover.json", replays=1)
    lost = picture(tmp_path)
    assert (lost.replays, lost.unanswered) == (1, 1)
    with pytest.raises(TaleCraftOutcomeUnknownError, match="not sent again"):
        lost.raise_if_given_up()
    picture(tmp_path, max_replays=2).raise_if_given_up()


@dataclass(frozen=True)
class Put(Delivery):
    """A gallery without a network, in whose folder a stranger puts a file meanwhile."""

    stranger: bytes | None = None
    meanwhile: Callable[[Path], None] = lambda _: None

    @contextmanager
    def fetched(self, url):
        folder = Path(self.dst.removeprefix("file://"))
        self.meanwhile(folder)
        if self.stranger is not None:
            (folder / "cover.jpeg").write_bytes(self.stranger)
        local = folder / "local"
        local.write_bytes(b"fox")
        yield Told(local, 3, SHA256, Format("image/jpeg", ".jpeg", 1, 1))


#: What the objects were told.
told = []


class Told(Picture):
    def put(self, location, metadata, **options):
        told.append(metadata)
        super().put(location, metadata, **options)


def drawn(folder, name="cover", **changes):
    delivery = Put(f"file://{folder}/", None, if_exists="overwrite", max_bytes=9, trusted=(), **changes)
    terms = Terms(delivery, "when_changed", max_replays=1, lease=lambda: 600, talecraft_conn_id="talecraft_default")
    return DrawOnce(FOX, terms, another_run(), **({"name": name} if name else {})).obtain(FOX, lambda _: DRAWN)


def test_the_object_is_told_what_it_shows_and_the_receipt_when_it_was_stored(tmp_path):
    drawn(tmp_path)
    assert told.pop() == {
        "id": "1", "status": "success", "prompt": "A fox", "style": "children_book", "aspect_ratio": "1:1",
    }  # fmt: skip
    assert datetime.fromisoformat(receipt(tmp_path / "cover.json")["stored_at"]).utcoffset() == timedelta(0)


def test_a_picture_without_a_name_is_called_after_its_request(tmp_path):
    name = fingerprint(FOX[0].payload())[:16]
    assert drawn(tmp_path, name="")["path"] == f"file://{tmp_path}/{name}.jpeg"


def test_who_is_overtaken_during_the_fetch_says_where_the_own_picture_is(tmp_path):
    def overtake(folder):
        edit(folder / "cover.json", run_id="another")

    with pytest.raises(TakenError, match=r"this one's is paid for too, and is at https://cdn\.test/fox\.jpeg\.$"):
        drawn(tmp_path, meanwhile=overtake)
    assert receipt(tmp_path / "cover.json")["run_id"] == "another"
    assert not (tmp_path / "cover.jpeg").exists()


def test_what_a_stranger_puts_there_during_the_fetch_is_left_unless_it_is_the_same(tmp_path):
    with pytest.raises(AirflowFailException, match="somebody else meanwhile"):
        drawn(tmp_path, stranger=b"a stranger")
    assert (tmp_path / "cover.jpeg").read_bytes() == b"a stranger"
    (tmp_path / "another").mkdir()
    assert drawn(tmp_path / "another", stranger=b"fox")["drawn"]

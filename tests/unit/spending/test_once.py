"""What is known of a picture before anything is asked, and what is said when another task was faster."""

from __future__ import annotations

import pytest
from drawing import another_run, edit, killed_while_asking, receipt

from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
from airflow_provider_talecraft.pictures.delivery import Delivery
from airflow_provider_talecraft.spending.claims import TakenError
from airflow_provider_talecraft.spending.once import DrawOnce, Terms

FOX = [IllustrationRequest("A fox")]
DRAWN = Illustration("1", "success", "https://cdn.test/fox.jpeg?sig=s3cret")


def picture(folder):
    delivery = Delivery(f"file://{folder}/", None, if_exists="overwrite", max_bytes=9999, trusted=())
    terms = Terms(delivery, "when_changed", max_replays=1, lease=lambda: 600, talecraft_conn_id="talecraft_default")
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
        sha256="776cb326ab0cd5f0a974c1b9606044d8485201f2db19cf8e3749bdee5f36e200", content_type="image/jpeg",
        width=1, height=1,
    )  # fmt: skip
    standing = picture(tmp_path)
    assert standing.delivered["path"] == f"file://{tmp_path}/cover.jpeg"
    assert not standing.is_paid


def test_who_comes_too_late_says_where_the_own_picture_is_without_a_signature(tmp_path):
    def slowly(_):
        killed_while_asking(tmp_path / "cover.json", busy_for=600)
        edit(tmp_path / "cover.json", state="answered", image_url="https://cdn.test/another.jpeg")
        return DRAWN

    said = r"this one's is paid for too, and is at https://cdn\.test/fox\.jpeg\.$"
    with pytest.raises(TakenError, match=said):
        picture(tmp_path).obtain(FOX, slowly)
    assert receipt(tmp_path / "cover.json")["image_url"] == "https://cdn.test/another.jpeg"

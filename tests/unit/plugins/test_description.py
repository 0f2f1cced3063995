"""What vouches for a picture: what our operators write beside it, and nothing else."""

from __future__ import annotations

import json

import pytest
from drawing import another_run, draw, edit, receipt

from airflow_provider_talecraft.pictures.place import checked_path
from airflow_provider_talecraft.plugins.description import descriptions

SIDECAR = {
    "bytes": 7, "sha256": "0" * 64, "content_type": "image/png", "width": 4, "height": 3, "source": "https://x/a",
    "dag_id": "book",
}  # fmt: skip


def described(path, *, in_folder=True):
    found = descriptions(checked_path(f"file://{path}", None), in_folder=in_folder)
    return [(one.dag_id, one.size, one.sha256) for one in found]


def test_a_receipt_vouches_for_the_file_that_it_names(tmp_path, connected):
    ti = another_run()
    drawn = draw(tmp_path, name="cover", ti=ti)
    assert described(tmp_path / "cover.jpeg") == [(ti.dag_id, drawn["size"], drawn["sha256"])]
    assert described(tmp_path / "cover.png") == []
    assert described(tmp_path / "cover.jpeg", in_folder=False) == []


def test_so_does_that_of_a_single_file(tmp_path, connected):
    drawn = draw(f"file://{tmp_path}/cover.jpeg")
    assert described(tmp_path / "cover.jpeg", in_folder=False)[0][1:] == (drawn["size"], drawn["sha256"])


def test_a_receipt_of_a_request_on_its_way_vouches_for_the_picture_that_is_replaced_only(tmp_path, connected):
    drawn = draw(tmp_path, name="cover")
    stored = receipt(tmp_path / "cover.json")
    edit(tmp_path / "cover.json", state="asked", unanswered=["2026-11-26T01:02:03+00:00"], file=None)
    assert described(tmp_path / "cover.jpeg") == []
    edit(tmp_path / "cover.json", replaces={name: stored[name] for name in stored if name != "talecraft_receipt"})
    assert described(tmp_path / "cover.jpeg")[0][1:] == (drawn["size"], drawn["sha256"])


def test_a_receipt_in_another_state_vouches_for_nothing(tmp_path, connected):
    draw(tmp_path, name="cover")
    edit(tmp_path / "cover.json", state="fetched")
    assert described(tmp_path / "cover.jpeg") == []


def test_a_sidecar_vouches(tmp_path):
    (tmp_path / "cover.png.json").write_text(json.dumps(SIDECAR))
    assert described(tmp_path / "cover.png") == [("book", 7, "0" * 64)]


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "null", "{}", "{", "[" * 100_000, json.dumps({**SIDECAR, "dag_id": ""}),
        json.dumps({**SIDECAR, "dag_id": 7}),
        json.dumps({name: value for name, value in SIDECAR.items() if name != "dag_id"}),
        json.dumps({**SIDECAR, "bytes": True}), json.dumps({**SIDECAR, "bytes": "7"}),
        json.dumps({**SIDECAR, "sha256": 0}),
        json.dumps({**SIDECAR, "talecraft_receipt": 1}), json.dumps({**SIDECAR, "more": "x" * 1024 * 1024}),
    ],
    ids=lambda content: content[:30],
)  # fmt: skip
def test_what_is_no_sidecar_does_not(tmp_path, content):
    (tmp_path / "cover.png.json").write_text(content)
    (tmp_path / "cover.json").write_text(content)
    assert described(tmp_path / "cover.png") == []


def test_a_sidecar_behind_a_symbolic_link_does_not(tmp_path):
    (tmp_path / "real.json").write_text(json.dumps(SIDECAR))
    (tmp_path / "cover.png.json").symlink_to(tmp_path / "real.json")
    assert described(tmp_path / "cover.png") == []

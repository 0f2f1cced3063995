"""What the pictures of a folder have cost, by their receipts."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from drawing import asked

from airflow_provider_talecraft.pictures import place
from airflow_provider_talecraft.spending.account import Account, _below

SENT = "2026-01-02T03:04:05+00:00"


def receipt(state, *, credits=2, file="fox.jpeg", **facts):  # noqa: A002  # the word of a receipt
    described = {
        "sha256": "00",
        "bytes": 1,
        "content_type": "image/jpeg",
        "width": 1,
        "height": 1,
        "source": "https://x",
    }
    known = {**described, "file": file} if state in {"fetched", "stored"} else {}
    base = {**json.loads(asked()), **known, "state": state, "credits": credits, "unanswered": []}
    return {**base, **({"image_url": "https://x/fox.jpeg"} if state == "answered" else {}), **facts}


@pytest.fixture
def account(tmp_path):
    """Return a function that puts receipts into a folder and adds it up."""

    def of(**receipts):
        for name, content in receipts.items():
            path = tmp_path / "books" / f"{name}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return Account.of(f"file://{tmp_path}/books/")

    return of


@pytest.mark.parametrize(
    ("state", "pictures", "not_stored"),
    [("asked", 0, 0), ("refused", 0, 0), ("answered", 0, 1), ("fetched", 0, 1), ("stored", 1, 0)],
)
def test_a_picture_counts_when_it_stands_and_waits_while_it_is_only_paid_for(
    account, tmp_path, state, pictures, not_stored
):
    facts = account(fox=receipt(state, **({"unanswered": [SENT]} if state == "asked" else {}))).facts()
    path = f"file://{tmp_path}/books/fox.json"
    assert facts == {
        "pictures": pictures,
        "credits": 2,
        "paid_and_not_stored": [path] * not_stored,
        "unanswered": [{"receipt": path, "time": SENT}] * (state == "asked"),
        "unreadable": [],
    }


def test_a_picture_that_is_being_replaced_stands_and_was_paid_for_too(account):
    sums = account(fox=receipt("answered", credits=4, replaces=receipt("stored", credits=2)))
    assert (sums.pictures, sums.credits, len(sums.not_stored)) == (1, 6, 1)


def test_the_sums_are_those_of_all_receipts_in_the_order_of_their_names(account, tmp_path):
    two = {"unanswered": [SENT, "2026-01-03T03:04:05+00:00"]}
    sums = account(b=receipt("stored", file="b.png"), c=receipt("asked", **two), a=receipt("answered"), d="[", e="[1")
    assert (sums.pictures, sums.credits) == (1, 6)
    assert [lost["time"] for lost in sums.unanswered] == two["unanswered"]
    assert sums.unreadable == [f"file://{tmp_path}/books/{name}.json" for name in "de"]


def test_requests_without_an_answer_are_those_of_all_receipts(account):
    sums = account(a=receipt("asked", unanswered=[SENT]), b=receipt("asked", unanswered=[SENT, SENT]))
    assert [lost["receipt"].rpartition("/")[2] for lost in sums.unanswered] == ["a.json", "b.json", "b.json"]


def test_a_folder_and_a_file_may_be_called_x(tmp_path):
    folder = tmp_path / "X"
    folder.mkdir()
    (folder / "X.json").write_text(json.dumps(receipt("asked", unanswered=[SENT])))
    (tmp_path / "neighbour.json").write_text(json.dumps(receipt("asked", unanswered=[SENT])))
    (lost,) = Account.of(f"file://{folder}").unanswered
    assert lost["receipt"] == f"file://{folder}/X.json"
    assert _below("XXbooks/Xa.json", "XXbooks") == "Xa.json"


@pytest.mark.parametrize("file", ["fox", "fox.png", "fox.jpeg", "fox.webp"])
def test_a_picture_may_be_called_as_its_receipt_with_or_without_an_extension(account, file):
    assert account(fox=receipt("stored", file=file)).pictures == 1


def test_a_receipt_in_a_folder_below_counts(account, tmp_path):
    (tmp_path / "books" / "owls").mkdir(parents=True)
    (tmp_path / "books" / "owls" / "owl.json").write_text(json.dumps(receipt("answered")))
    sums = account(fox=receipt("answered"))
    assert sums.not_stored == [f"file://{tmp_path}/books/{name}.json" for name in ("fox", "owls/owl")]


@pytest.mark.parametrize("content", ["[]", '"talecraft_receipt"', "{}", '{"prompt": "A fox"}'])
def test_what_is_no_receipt_is_passed_over(account, content):
    assert account(fox=receipt("stored"), other=content).facts() == account(fox=receipt("stored")).facts()
    assert account(other=content).unreadable == []


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, '{"talecraft_receipt": 1}', '{"talecraft_receipt": 2}'])
def test_what_was_a_receipt_is_named_as_unreadable(account, tmp_path, content):
    sums = account(other=content)
    assert sums.unreadable == [f"file://{tmp_path}/books/other.json"]
    assert (sums.pictures, sums.credits) == (0, 0)


def test_only_json_files_are_looked_at(account, tmp_path):
    account(fox=receipt("stored"))
    (tmp_path / "books" / "fox.jpeg").write_bytes(b"{")
    assert account().facts() == account(fox=receipt("stored")).facts()


def test_a_file_that_goes_while_it_is_counted_is_none(tmp_path):
    sums = Account()
    sums.add(ObjectStoragePath(f"file://{tmp_path}"), f"{tmp_path}/gone.json")
    assert sums == Account()


@pytest.mark.parametrize("prefix", ["s3://bucket", "s3://bucket/", "s3://bucket//"])
def test_a_whole_bucket_is_a_folder_too(tmp_path, monkeypatch, prefix):
    def opened(dst, conn_id):
        assert (dst, conn_id) == ("s3://bucket/", "mine")
        place.checked_path(dst, None)
        return ObjectStoragePath(f"file://{tmp_path}")

    (tmp_path / "fox.json").write_text(json.dumps(receipt("stored")))
    monkeypatch.setattr("airflow_provider_talecraft.spending.account.checked_path", opened)
    assert Account.of(prefix, conn_id="mine").pictures == 1


def test_a_folder_that_is_not_there_is_an_error_and_not_a_sum_of_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^nothing is there\.$"):
        Account.of(f"file://{tmp_path}/nothing/")


def test_the_table_has_a_line_for_each_sum_and_for_each_receipt_that_asks_for_somebody(account, tmp_path):
    place = f"file://{tmp_path}/books"
    sums = account(a=receipt("stored", file="a.jpeg"), b=receipt("answered", unanswered=[SENT]), c="{")
    assert sums.table().splitlines() == [
        "pictures                           1",
        "credits                            4",
        "paid, not stored yet               1",
        "requests without an answer         1",
        "unreadable receipts                1",
        f"paid, not stored yet: {place}/b.json",
        f"without an answer since {SENT}: {place}/b.json",
        f"unreadable: {place}/c.json",
    ]


def test_a_name_does_nothing_to_a_terminal(account):
    shown = account(**{"\x1b[31m狐": receipt("answered")}).table()
    assert shown.endswith("?[31m狐.json")
    assert "\x1b" not in shown

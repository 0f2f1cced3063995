"""What stands is not paid for again; what was paid for is not paid for again; what is not ours is left alone."""

from __future__ import annotations

import json
import re

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AssetAlias
from asset_events import Events
from drawing import (
    FAILURES,
    another_run,
    draw,
    draw_batch,
    edit,
    killed_while_asking,
    names,
    prompts_of,
    receipt,
    requests_of,
)
from loopback import gallery
from pictures import picture
from state_store import TaskInstance

from airflow_provider_talecraft.exceptions import TaleCraftOutcomeUnknownError
from airflow_provider_talecraft.operators.illustration import GenerateIllustrationBatchOperator, IllustrationOperator
from airflow_provider_talecraft.pictures.place import ObjectLocation

pytestmark = pytest.mark.usefixtures("connected")

LOST = {"drop": "after_charge"}


def served(url):
    """Return a fault: a charged answer whose picture is at *url*."""
    data = {"id": "elsewhere", "status": "success", "image_url": url}
    return {"body": json.dumps({"code": 0, "message": "success", "data": data}), "charge": True}


# What stands


def test_the_same_request_finds_its_picture_in_any_run_and_pays_nothing(sandbox, tmp_path):
    first = draw(tmp_path)
    second = draw(tmp_path)
    cleared = draw(tmp_path, ti=another_run(try_number=2, max_tries=4))
    assert first["drawn"]
    assert {**first, "drawn": False} == second == cleared
    assert prompts_of(sandbox) == ["A fox"]


def test_the_output_is_flat_json_with_a_fixed_set_of_facts(tmp_path):
    ti = another_run()
    result = draw(tmp_path, ti=ti)
    assert set(result) == {
        "id", "status", "image_url", "prompt", "style", "aspect_ratio", "path", "size", "sha256", "content_type",
        "width", "height", "drawn",
    }  # fmt: skip
    assert json.loads(json.dumps(result)) == result
    assert all(isinstance(value, (str, int)) for value in result.values())
    assert ti.pushed["image_url"] == result["image_url"]
    assert set(ti.pushed) == {"image_url", "talecraft_report"}


def test_in_a_folder_a_picture_is_named_by_its_request(tmp_path):
    for prompt, ratio in (("A fox", "1:1"), ("An owl", "1:1"), ("A fox", "16:9")):
        draw(tmp_path, prompt, aspect_ratio=ratio)
    assert len(names(tmp_path)) == 6
    assert all(re.fullmatch(r"[0-9a-f]{16}\.(jpeg|json)", name) for name in names(tmp_path))


def test_in_a_folder_a_name_names_it_and_the_extension_follows_the_bytes(sandbox, tmp_path):
    with gallery(picture("PNG")) as (url, _):
        sandbox.faults([served(url)])
        result = draw(tmp_path, name="cover", image_hosts=["127.0.0.1"])
    assert names(tmp_path) == ["cover.json", "cover.png"]
    assert result["content_type"] == "image/png"


def test_a_file_has_its_receipt_beside_it(sandbox, tmp_path):
    for _ in range(2):
        draw(f"file://{tmp_path}/cover.jpeg")
    assert names(tmp_path) == ["cover.jpeg", "cover.jpeg.json"]
    assert requests_of(sandbox) == 1


def test_the_receipt_says_what_was_drawn_from_what_and_what_it_cost(sandbox, tmp_path):
    draw(tmp_path, "A fox “in” 雪", name="cover", fallback_prompts=["An owl"], aspect_ratio="4:3")
    facts = receipt(tmp_path / "cover.json")
    assert facts["about"] == "2 credits. The picture stands in cover.jpeg."
    expected = {
        "talecraft_receipt": 1, "state": "stored", "prompt": "A fox “in” 雪", "style": "children_book",
        "aspect_ratio": "4:3", "fallback_prompts": ["An owl"], "credits": 2, "file": "cover.jpeg", "unanswered": [],
        "id": sandbox.ledger()["charges"][0]["id"], "dag_id": "d", "task_id": "t",
    }  # fmt: skip
    assert expected.items() <= facts.items()
    assert not {"busy_until", "image_url", "replaces"} & set(facts)


# redraw


@pytest.mark.parametrize(("redraw", "charges"), [("when_changed", 2), ("never", 1), ("always", 2)])
def test_another_requests_picture_is_replaced_left_or_drawn_over(sandbox, tmp_path, redraw, charges):
    first = draw(tmp_path, "A fox", name="cover")
    second = draw(tmp_path, "An owl", name="cover", redraw=redraw)
    assert len(prompts_of(sandbox)) == charges
    assert second["drawn"] == (charges == 2)
    assert (second["sha256"] == first["sha256"]) == (redraw == "never")
    assert names(tmp_path) == ["cover.jpeg", "cover.json"]


def test_always_draws_in_every_run_and_after_a_clear_but_not_in_another_try(sandbox, tmp_path):
    assert draw(tmp_path, redraw="always", ti=TaskInstance(1, 3, "a"))["drawn"]
    assert not draw(tmp_path, redraw="always", ti=TaskInstance(2, 3, "a"))["drawn"]
    assert requests_of(sandbox) == 1
    draw(tmp_path, redraw="always", ti=TaskInstance(3, 5, "a"))
    assert requests_of(sandbox) == 2
    draw(tmp_path, redraw="always", ti=TaskInstance(1, 3, "b"))
    assert requests_of(sandbox) == 3


def test_a_picture_of_another_type_takes_the_old_ones_place(sandbox, tmp_path):
    draw(tmp_path, "A fox", name="cover")
    with gallery(picture("PNG")) as (url, _):
        sandbox.faults([served(url)])
        draw(tmp_path, "An owl", name="cover", image_hosts=["127.0.0.1"])
    assert names(tmp_path) == ["cover.json", "cover.png"]


def test_a_refused_request_leaves_nothing_behind(sandbox, tmp_path):
    sandbox.faults([{"message": "insufficient credits"}])
    with pytest.raises(FAILURES, match="insufficient credits"):
        draw(tmp_path)
    assert names(tmp_path) == []


def test_a_refused_redraw_leaves_the_picture_and_its_receipt(sandbox, tmp_path):
    first = draw(tmp_path, "A fox", name="cover")
    sandbox.faults([{"message": "insufficient credits"}])
    with pytest.raises(FAILURES, match="insufficient credits"):
        draw(tmp_path, "An owl", name="cover")
    assert draw(tmp_path, "A fox", name="cover") == {**first, "drawn": False}
    assert names(tmp_path) == ["cover.jpeg", "cover.json"]
    facts = receipt(tmp_path / "cover.json")
    assert (facts["state"], facts["prompt"], facts["requests"]) == ("stored", "A fox", 2)
    assert "replaces" not in facts


def test_after_a_lost_and_a_refused_redraw_the_old_picture_is_still_known_as_ours(sandbox, tmp_path):
    draw(tmp_path, "A fox", name="cover")
    sandbox.faults([LOST, {"message": "insufficient credits"}])
    ti = another_run()
    for _ in range(2):
        with pytest.raises(FAILURES):
            draw(tmp_path, "An owl", name="cover", ti=ti)
    assert draw(tmp_path, "An owl", name="cover", ti=ti)["drawn"]
    assert receipt(tmp_path / "cover.json")["replays"] == 1
    assert prompts_of(sandbox) == ["A fox", "An owl", "An owl"]


def begun_to_replace(folder, *, state, ti=None, prompt="An owl"):
    """Have a worker die while it replaces what stands."""
    path = folder / "cover.json"
    old = {name: value for name, value in receipt(path).items() if name not in {"talecraft_receipt", "about"}}
    killed_while_asking(path, prompt=prompt, ti=ti)
    edit(path, state=state, replaces=old, id="new", image_url="http://127.0.0.1:9/gone.jpeg")


@pytest.mark.parametrize("state", ["asked", "refused", "answered"])
def test_what_stands_is_found_though_a_worker_died_that_was_to_replace_it(sandbox, tmp_path, state):
    first = draw(tmp_path, "A fox", name="cover")
    begun_to_replace(tmp_path, state=state)
    before = (tmp_path / "cover.json").read_bytes()
    assert draw(tmp_path, "A fox", name="cover") == {**first, "drawn": False}
    assert draw(tmp_path, "A bear", name="cover", redraw="never") == {**first, "drawn": False}
    assert (requests_of(sandbox), (tmp_path / "cover.json").read_bytes()) == (1, before)


def test_what_another_request_was_to_replace_is_drawn_again_if_it_does_not_stand(sandbox, tmp_path):
    draw(tmp_path, "A fox", name="cover")
    begun_to_replace(tmp_path, state="asked")
    (tmp_path / "cover.jpeg").unlink()
    assert draw(tmp_path, "A fox", name="cover")["drawn"]
    assert prompts_of(sandbox) == ["A fox", "A fox"]


def test_what_is_paid_for_is_fetched_though_an_older_picture_of_the_same_request_stands(sandbox, tmp_path):
    draw(tmp_path, "A fox", name="cover")
    begun_to_replace(tmp_path, state="answered", prompt="A fox")
    with pytest.raises(FAILURES, match=r"127\.0\.0\.1:9/gone\.jpeg is not fetched over plain http"):
        draw(tmp_path, "A fox", name="cover")
    assert requests_of(sandbox) == 1


def test_always_fetches_what_another_try_has_paid_for(sandbox, tmp_path, caplog):
    with pytest.raises(FAILURES, match="larger than max_bytes"):
        draw(tmp_path, redraw="always", max_bytes=10, ti=TaskInstance(1, 3, "a"))
    assert draw(tmp_path, redraw="always", ti=TaskInstance(2, 3, "a"))["drawn"]
    assert len(sandbox.ledger()["charges"]) == 1
    assert "No record of an earlier try" not in caplog.text, "a receipt is no record of one task's tries"


def test_always_finds_what_is_to_be_replaced_in_the_run_that_drew_it_and_in_no_other(sandbox, tmp_path):
    ti = another_run()
    first = draw(tmp_path, "A fox", name="cover", redraw="always", ti=ti)
    begun_to_replace(tmp_path, state="answered", prompt="A fox")
    assert draw(tmp_path, "A fox", name="cover", redraw="always", ti=ti) == {**first, "drawn": False}
    ti.max_tries += 4
    assert draw(tmp_path, "A fox", name="cover", redraw="always", ti=ti)["drawn"]
    begun_to_replace(tmp_path, state="asked", prompt="A fox")
    assert draw(tmp_path, "A fox", name="cover", redraw="always")["drawn"]
    assert requests_of(sandbox) == 3


def test_fallback_prompts_are_tried_in_the_same_try_and_found_again(sandbox, tmp_path):
    sandbox.faults([{"message": "Generation failed"}])
    first = draw(tmp_path, "A fox", fallback_prompts=["An owl"])
    assert first["prompt"] == "An owl"
    assert draw(tmp_path, "A fox", fallback_prompts=["An owl"]) == {**first, "drawn": False}
    assert prompts_of(sandbox) == ["An owl"]


# Requests without an answer


@pytest.mark.parametrize("same_run", [True, False])
def test_a_killed_workers_request_is_sent_again_within_max_replays(sandbox, tmp_path, same_run):
    ti = another_run()
    killed_while_asking(tmp_path / "cover.json", ti=ti if same_run else None)
    assert draw(tmp_path, name="cover", ti=ti)["drawn"]
    facts = receipt(tmp_path / "cover.json")
    assert (facts["replays"], facts["unanswered"]) == (1, ["2026-01-02T03:04:05+00:00"])
    assert requests_of(sandbox) == 1


def test_without_a_replay_left_a_killed_workers_request_stops_the_task_with_its_time(sandbox, tmp_path):
    killed_while_asking(tmp_path / "cover.json")
    with pytest.raises(FAILURES, match=r"2026-01-02T03:04:05\+00:00.*delete the receipt .*cover\.json"):
        draw(tmp_path, name="cover", max_replays=0)
    assert requests_of(sandbox) == 0


@pytest.mark.parametrize("max_replays", [0, 1])
def test_lost_answers_are_replayed_in_any_run_as_often_as_max_replays_says(sandbox, tmp_path, max_replays):
    sandbox.faults([{**LOST, "times": 9}])
    for _ in range(max_replays + 3):
        with pytest.raises(FAILURES):
            draw(tmp_path, max_replays=max_replays)
    assert requests_of(sandbox) == 1 + max_replays
    with pytest.raises(FAILURES, match=f"Up to {2 + 2 * max_replays} credits may have been charged"):
        draw(tmp_path, max_replays=max_replays)


def test_a_lost_answer_does_not_keep_the_next_run_waiting(sandbox, tmp_path):
    sandbox.faults([LOST])
    with pytest.raises(FAILURES):
        draw(tmp_path, name="cover")
    assert "busy_until" not in receipt(tmp_path / "cover.json")
    assert draw(tmp_path, name="cover")["drawn"]


def test_a_request_on_its_way_is_waited_for(sandbox, tmp_path):
    killed_while_asking(tmp_path / "cover.json", busy_for=1.2)
    assert draw(tmp_path, name="cover")["drawn"]
    assert receipt(tmp_path / "cover.json")["replays"] == 1


def test_nobody_waits_longer_than_a_request_can_take(sandbox, tmp_path, monkeypatch, connect):
    monkeypatch.setattr("airflow_provider_talecraft.operators.base.MARGIN", -1.5)
    connect(host=sandbox.url, password=sandbox.api_key, extra={"connect_timeout": 1, "read_timeout": 1})
    killed_while_asking(tmp_path / "cover.json", busy_for=10**9)
    with pytest.raises(FAILURES, match=r"Another task draws this picture now, says the receipt .*cover\.json"):
        draw(tmp_path, name="cover")
    assert requests_of(sandbox) == 0


# Paid for, and not there yet


@pytest.mark.parametrize("same_run", [True, False])
def test_a_paid_picture_that_could_not_be_fetched_is_fetched_by_the_next_try(sandbox, tmp_path, same_run):
    ti = another_run()
    with gallery(b"no picture", picture()) as (url, _):
        sandbox.faults([served(url)])
        with pytest.raises(FAILURES, match="is not a PNG, JPEG or WebP picture"):
            draw(tmp_path, name="cover", ti=ti, image_hosts=["127.0.0.1"])
        assert receipt(tmp_path / "cover.json")["state"] == "answered"
        result = draw(tmp_path, name="cover", ti=ti if same_run else None, image_hosts=["127.0.0.1"])
    assert result["id"] == "elsewhere"
    assert requests_of(sandbox) == 1


@pytest.mark.parametrize("same_run", [True, False])
def test_a_paid_picture_that_could_not_be_stored_is_stored_by_the_next_try(sandbox, tmp_path, monkeypatch, same_run):
    ti, put = another_run(), ObjectLocation.put

    def full(self, source, **options):
        if str(self).endswith(".jpeg"):
            raise OSError(28, "No space left on device")
        put(self, source, **options)

    with monkeypatch.context() as patched:
        patched.setattr(ObjectLocation, "put", full)
        with pytest.raises(OSError, match="No space left"):
            draw(tmp_path, ti=ti)
    assert draw(tmp_path, ti=ti if same_run else None)["drawn"]
    assert requests_of(sandbox) == 1


def test_an_answer_is_not_lost_while_the_store_takes_nothing_for_a_while(sandbox, tmp_path, monkeypatch):
    """A disk that is full for a minute: else the next try would find a request without an answer, and pay again."""
    put, refused = ObjectLocation.put, []

    def full(self, source, **options):
        if len(refused) < 5 and (refused or (isinstance(source, bytes) and b'"answered"' in source)):
            refused.append(self)
            raise OSError(28, "No space left on device")
        put(self, source, **options)

    monkeypatch.setattr(ObjectLocation, "put", full)
    monkeypatch.setattr("airflow_provider_talecraft.spending.receipt.WAITS", (0.01,))
    assert draw(tmp_path)["drawn"]
    assert requests_of(sandbox) == 1


def test_an_answer_that_the_store_did_not_take_down_is_in_the_receipt_in_the_end(sandbox, tmp_path, monkeypatch):
    put = ObjectLocation.put
    monkeypatch.setattr("airflow_provider_talecraft.spending.receipt.PATIENCE", 0)

    def flaky(self, source, **options):
        if isinstance(source, bytes) and b'"answered"' in source:
            raise ConnectionError("the store is gone")
        put(self, source, **options)

    monkeypatch.setattr(ObjectLocation, "put", flaky)
    first = draw(tmp_path, name="cover")
    facts = receipt(tmp_path / "cover.json")
    assert (facts["id"], facts["credits"]) == (sandbox.ledger()["charges"][0]["id"], 2)
    assert draw(tmp_path, name="cover") == {**first, "drawn": False}


def test_a_picture_put_and_not_described_is_found_even_by_another_prompts_run(sandbox, tmp_path):
    draw(tmp_path, "A fox", name="cover")
    edit(tmp_path / "cover.json", state="fetched", busy_until="2026-01-02T03:04:05+00:00")
    assert draw(tmp_path, "A fox", name="cover")["drawn"], "nobody was told of it before"
    edit(tmp_path / "cover.json", state="fetched")
    assert draw(tmp_path, "An owl", name="cover")["prompt"] == "An owl"
    assert prompts_of(sandbox) == ["A fox", "An owl"]


# What is not ours


@pytest.mark.parametrize("name", ["cover.jpeg", "cover.png", "cover.webp"])
def test_a_strangers_picture_stops_the_task_before_anything_is_paid(sandbox, tmp_path, name):
    (tmp_path / name).write_bytes(b"a stranger's")
    with pytest.raises(AirflowFailException, match="somebody else's: nothing was sent"):
        draw(tmp_path, name="cover")
    assert (tmp_path / name).read_bytes() == b"a stranger's"
    assert (requests_of(sandbox), names(tmp_path)) == (0, [name])


def test_a_stranger_beside_our_picture_stops_a_redraw_before_anything_is_paid(sandbox, tmp_path):
    draw(tmp_path, "A fox", name="cover")
    (tmp_path / "cover.png").write_bytes(b"a stranger's")
    with pytest.raises(AirflowFailException, match=r"cover\.png stands there without a receipt"):
        draw(tmp_path, "An owl", name="cover")
    assert requests_of(sandbox) == 1


def test_a_stranger_at_the_place_of_a_lost_request_stops_the_replay(sandbox, tmp_path):
    killed_while_asking(tmp_path / "cover.json")
    (tmp_path / "cover.jpeg").write_bytes(b"a stranger's")
    with pytest.raises(AirflowFailException, match="somebody else's"):
        draw(tmp_path, name="cover")
    assert requests_of(sandbox) == 0


def test_always_draws_over_a_stranger(tmp_path):
    (tmp_path / "cover.jpeg").write_bytes(b"a stranger's")
    assert draw(tmp_path, name="cover", redraw="always")["drawn"]
    assert names(tmp_path) == ["cover.jpeg", "cover.json"]


@pytest.mark.parametrize("content", [b"changed", None], ids=["other size", "same size"])
def test_a_picture_that_is_not_what_its_receipt_says_stops_the_task(sandbox, tmp_path, content):
    draw(tmp_path, name="cover")
    picture_file = tmp_path / "cover.jpeg"
    content = content or b"x" + picture_file.read_bytes()[1:]
    picture_file.write_bytes(content)
    with pytest.raises(AirflowFailException, match=r"not the picture that its receipt describes.*Move it away"):
        draw(tmp_path, name="cover")
    assert (requests_of(sandbox), picture_file.read_bytes()) == (1, content)


def test_a_picture_that_was_deleted_is_drawn_again(sandbox, tmp_path):
    draw(tmp_path, name="cover")
    (tmp_path / "cover.jpeg").unlink()
    assert draw(tmp_path, name="cover")["drawn"]
    assert (requests_of(sandbox), names(tmp_path)) == (2, ["cover.jpeg", "cover.json"])


def test_a_sidecar_of_the_store_operator_is_no_receipt(sandbox, tmp_path):
    content = json.dumps({"prompt": "A fox", "source": "https://x/y.jpeg", "sha256": "0", "bytes": 1})
    (tmp_path / "cover.jpeg.json").write_text(content)
    with pytest.raises(AirflowFailException, match=r"is no receipt.*choose another place"):
        draw(f"file://{tmp_path}/cover.jpeg")
    assert (requests_of(sandbox), (tmp_path / "cover.jpeg.json").read_text()) == (0, content)


@pytest.mark.parametrize("redraw", ["when_changed", "always"])
@pytest.mark.parametrize("name", ["book", "book.json"])
def test_a_folder_where_a_file_is_meant_stops_the_task_before_anything_is_paid(sandbox, tmp_path, name, redraw):
    (tmp_path / name / "x").mkdir(parents=True)
    with pytest.raises(AirflowFailException, match="is a folder: nothing was sent"):
        draw(f"file://{tmp_path}/book", redraw=redraw)
    assert requests_of(sandbox) == 0


@pytest.mark.parametrize("dst", ["{folder}/file/", "{folder}/file/deeper/", "/proc/talecraft/", "/proc/1/x.jpeg"])
def test_a_place_that_cannot_be_written_costs_nothing(sandbox, tmp_path, dst):
    (tmp_path / "file").write_text("in the way")
    dst = f"file://{dst.format(folder=tmp_path)}"
    with pytest.raises(AirflowFailException, match=r"cannot be read or written.*nothing was sent. Check dst"):
        draw(dst)
    assert requests_of(sandbox) == 0


@pytest.mark.parametrize(
    "dst", [None, "", "x.jpeg", "/x/y.jpeg", "file:///x/\n", "file:///x/y.jpeg\n", " file:///x/", "file:///x/\0/",
            "s3://bucket", "file:///x/..", "file:///x/../y/", "nothing://x/", 7],
)  # fmt: skip
def test_what_is_no_place_is_refused_before_anything_is_paid(sandbox, dst):
    with pytest.raises(AirflowFailException, match=r"dst|no filesystem"):
        draw(dst)
    assert requests_of(sandbox) == 0


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("2026-01-02", r"2026-01-02"), ("Page 1", "Page 1"), ("狐狸", "狐狸"), ("a.b", r"a\.b"),
        ("../x", r"x-\w{8}"), ("/etc/passwd", r"etc-passwd-\w{8}"), ("a/b", r"a-b-\w{8}"), ("..", r"\w{8}"),
        (".hidden", r"hidden-\w{8}"), ("a\nb", r"a-b-\w{8}"), ("{{ x }}", r"x-\w{8}"), ("🦊", r"\w{8}"),
        ("狐" * 300, r"狐{50}-\w{8}"), ("x" * 5000, r"x{150}-\w{8}"),
    ],
)  # fmt: skip
def test_a_name_stays_in_the_folder_and_no_two_names_become_one(tmp_path, name, file):
    folder = tmp_path / "inner" / "folder"
    draw(folder, name=name)
    assert re.fullmatch(rf"{file}\.jpeg", names(folder)[0])
    assert len(names(folder)) == 2
    assert names(tmp_path) == ["inner"]
    assert names(tmp_path / "inner") == ["folder"]


def test_two_names_that_no_file_can_have_stay_two_pictures(sandbox, tmp_path):
    for _ in range(2):
        draw(tmp_path, "A fox", name="a/b")
        draw(tmp_path, "An owl", name="a:b")
    assert requests_of(sandbox) == 2


def test_a_name_is_text(sandbox, tmp_path):
    with pytest.raises(FAILURES, match="name must be a string, not int"):
        draw(tmp_path, name=7)
    assert requests_of(sandbox) == 0


def test_a_wrong_word_for_redraw_is_refused_when_the_dag_is_parsed(tmp_path):
    with pytest.raises(ValueError, match="redraw must be one of when_changed, never, always, not 'sometimes'"):
        IllustrationOperator(task_id="t", prompt="A fox", dst=f"file://{tmp_path}/", redraw="sometimes")


def test_a_picture_under_an_alias_may_have_any_name(tmp_path):
    outlets, events = [AssetAlias("pictures")], Events()
    operator = IllustrationOperator(
        task_id="t", prompt="A fox", dst=f"file://{tmp_path}/", name="狐狸 1", outlets=outlets
    )
    operator.execute({"ti": another_run(), "outlet_events": events})
    ((uri, extra),) = events[outlets[0]].added
    assert uri == f"file://{tmp_path}/%E7%8B%90%E7%8B%B8%201.jpeg"
    assert extra["drawn"]


# Secrets


def test_neither_the_key_nor_a_signature_is_left_in_the_receipt_the_output_or_the_log(sandbox, tmp_path, caplog):
    with gallery(picture()) as (url, seen), caplog.at_level("DEBUG", logger="airflow_provider_talecraft"):
        sandbox.faults([served(f"{url}?X-Amz-Signature=5ec7e7")])
        result = draw(tmp_path, name="cover", image_hosts=["127.0.0.1"])
    assert len(seen) == 1
    text = (tmp_path / "cover.json").read_text() + json.dumps(result) + caplog.text
    assert "5ec7e7" not in text
    assert sandbox.api_key not in text


# Batches


def test_a_batch_into_a_folder_costs_nothing_the_second_time(sandbox, tmp_path):
    pages = [{"key": f"page-{number}", "prompt": f"Page {number}"} for number in range(4)]
    first = draw_batch(tmp_path, pages)
    second = draw_batch(tmp_path, pages)
    assert [entry["drawn"] for entry in first + second] == [True] * 4 + [False] * 4
    assert [{**entry, "drawn": False} for entry in first] == second
    assert requests_of(sandbox) == 4
    assert names(tmp_path) == sorted(f"page-{n}.{e}" for n in range(4) for e in ("jpeg", "json"))


def test_a_batch_draws_what_is_missing_or_changed_and_says_which(sandbox, tmp_path):
    draw_batch(tmp_path, [{"key": "a", "prompt": "A"}, {"key": "b", "prompt": "B"}])
    changed = [{"key": "a", "prompt": "A"}, {"key": "b", "prompt": "other"}, {"key": "c", "prompt": "C"}]
    assert [entry["drawn"] for entry in draw_batch(tmp_path, changed)] == [False, True, True]
    assert sorted(prompts_of(sandbox)) == ["A", "B", "C", "other"]


def test_an_item_and_a_task_find_each_others_picture(sandbox, tmp_path):
    (entry,) = draw_batch(tmp_path, ["A fox"])
    assert draw(tmp_path, "A fox") == {name: value for name, value in entry.items() if name not in {"index", "key"}} | {
        "drawn": False
    }
    assert requests_of(sandbox) == 1


@pytest.mark.parametrize(
    "prompts", [["A fox", "A fox"], [{"key": "Fox", "prompt": "A"}, {"key": "fox", "prompt": "B"}]]
)
def test_two_items_with_one_place_are_an_error_before_anything_is_paid(sandbox, tmp_path, prompts):
    with pytest.raises(FAILURES, match=r"have the same place.*Give each a key"):
        draw_batch(tmp_path, prompts)
    assert (requests_of(sandbox), names(tmp_path)) == (0, [])


def test_an_item_whose_place_is_a_strangers_fails_alone(sandbox, tmp_path):
    (tmp_path / "b.png").write_bytes(b"a stranger's")
    pages = [{"key": key, "prompt": key} for key in "abc"]
    entries = draw_batch(tmp_path, pages, on_partial_failure="keep")
    assert ["error" in entry for entry in entries] == [False, True, False]
    assert "somebody else's" in entries[1]["error"]
    assert sorted(prompts_of(sandbox)) == ["a", "c"]


def test_an_item_without_an_answer_is_replayed_by_the_next_run_within_max_replays(sandbox, tmp_path):
    sandbox.faults([{**LOST, "prompt": "B", "times": 2}])
    for _ in range(3):
        with pytest.raises((*FAILURES, TaleCraftOutcomeUnknownError)):
            draw_batch(tmp_path, ["A", "B"])
    assert sorted(prompts_of(sandbox)) == ["A", "B", "B"]


def test_dst_of_a_batch_is_a_folder(sandbox, tmp_path):
    operator = GenerateIllustrationBatchOperator(task_id="t", prompts=["A"], dst=f"file://{tmp_path}/x.jpeg")
    with pytest.raises(FAILURES, match="dst must be a folder and end in a slash"):
        operator.execute({"ti": another_run()})
    assert requests_of(sandbox) == 0

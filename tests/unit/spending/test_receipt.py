"""A receipt edited by hand: a sentence or a correct run; never a file elsewhere touched, nor a charge more."""

from __future__ import annotations

import json
import shutil

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath
from drawing import FAILURES, another_run, draw, edit, killed_while_asking, names, receipt, requests_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_talecraft.exceptions import TaleCraftGenerationFailedError, TaleCraftOutcomeUnknownError
from airflow_provider_talecraft.spending import claims
from airflow_provider_talecraft.spending.claims import TakenError

pytestmark = pytest.mark.usefixtures("connected")

FACTS = (
    "talecraft_receipt", "about", "state", "fingerprint", "prompt", "style", "aspect_ratio", "fallback_prompts",
    "credits", "replays", "unanswered", "requests", "dag_id", "task_id", "run_id", "map_index", "max_tries", "id",
    "status", "source", "file", "sha256", "bytes", "content_type", "width", "height", "stored_at", "busy_until",
    "replaces", "image_url",
)  # fmt: skip
STATES = ("asked", "refused", "answered", "fetched", "stored")
FILES = ("../neighbour.jpeg", "neighbour.jpeg", "cover.json", "cover.png", "/etc/hostname", "..", ".", "", "a/b")
WORDS = (*STATES, *FILES, "2026-01-02T03:04:05+00:00", "2026-01-02", "file:///etc/passwd", "http://127.0.0.1:9/x.jpeg")
scalars = (
    st.none() | st.booleans() | st.integers(-3, 10**40) | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner))
edits = st.dictionaries(st.sampled_from(FACTS), values, min_size=1, max_size=3)


@pytest.fixture
def drawn(tmp_path):
    """A folder with a picture in it, and neighbours that are nobody's business."""
    folder = tmp_path / "folder"
    draw(folder, name="cover")
    (folder / "neighbour.jpeg").write_bytes(b"a neighbour")
    (tmp_path / "neighbour.jpeg").write_bytes(b"a neighbour")
    return folder


def try_to_draw(folder, prompt="A fox", **options):
    """Return the output, or the sentence with which the task failed."""
    try:
        return draw(folder, prompt, name="cover", **options)
    except FAILURES as error:
        assert str(error)
        return str(error)


def neighbours(folder):
    places = (folder / "neighbour.jpeg", folder.parent / "neighbour.jpeg")
    return [place.read_bytes() for place in places], names(folder.parent)


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=edits, replaced=st.none() | edits, prompt=st.sampled_from(["A fox", "An owl"]))
def test_whatever_is_edited_the_task_fails_with_a_sentence_or_draws_once(sandbox, drawn, changes, replaced, prompt):
    copy = drawn.parent.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(drawn.parent, copy)
    folder = copy / "folder"
    facts = receipt(folder / "cover.json")
    if replaced:
        facts["replaces"] = {**facts, **replaced}
        facts |= {"state": "asked", "unanswered": ["2026-01-02T03:04:05+00:00"]}
    facts |= {name: value for name, value in changes.items() if name != "busy_until"}
    (folder / "cover.json").write_text(json.dumps(facts))
    before = neighbours(folder)
    sandbox.reset()
    first = try_to_draw(folder, prompt)
    assert requests_of(sandbox) <= 1
    assert neighbours(folder) == before
    if isinstance(first, dict):
        assert first["path"] in {f"file://{folder}/cover{extension}" for extension in (".jpeg", ".png", ".webp")}
        assert try_to_draw(folder, prompt) == {**first, "drawn": False}
        assert requests_of(sandbox) <= 1


@pytest.mark.parametrize("file", [name for name in FILES if name != "cover.png"])
def test_a_file_elsewhere_is_none_of_the_receipts(sandbox, drawn, file):
    before = neighbours(drawn)
    edit(drawn / "cover.json", file=file)
    with pytest.raises(AirflowFailException, match=r"is no receipt, or was edited.*nothing was sent\. Mend it, or"):
        draw(drawn, "An owl", name="cover")
    assert neighbours(drawn) == before
    assert requests_of(sandbox) == 1


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"a":' * 100_000, b" " * 2**21]
)
def test_what_is_no_receipt_is_not_taken_for_no_receipt(sandbox, drawn, content):
    (drawn / "cover.json").write_bytes(content)
    for redraw in ("when_changed", "always", "never"):
        with pytest.raises(AirflowFailException, match=r"cover\.json is no receipt"):
            draw(drawn, name="cover", redraw=redraw)
    assert (requests_of(sandbox), (drawn / "cover.json").read_bytes()) == (1, content)


def test_a_receipt_of_a_later_edition_is_not_gone_by(sandbox, drawn):
    edit(drawn / "cover.json", talecraft_receipt=2)
    assert "is no receipt" in try_to_draw(drawn)
    assert requests_of(sandbox) == 1


def test_what_a_person_adds_to_a_receipt_does_no_harm(sandbox, drawn):
    edit(drawn / "cover.json", note="the one for the cover", tags=["a"])
    assert try_to_draw(drawn)["drawn"] is False
    assert receipt(drawn / "cover.json")["note"] == "the one for the cover"
    assert requests_of(sandbox) == 1


# Claims


def claim(folder, number, *, run_id, busy_until):
    facts = {"dag_id": "d", "task_id": "t", "run_id": run_id, "map_index": -1, "busy_until": busy_until}
    path = folder / f"cover.json.{number}"
    path.write_text(json.dumps(facts))
    return path


@pytest.mark.parametrize(
    ("run_id", "busy_until"),
    [("dead", "2026-01-02T03:04:05+00:00"), ("mine", "2026-01-02T03:04:05+00:00"), ("dead", "nonsense")],
)
def test_a_claim_that_a_dead_worker_left_is_passed_over_and_removed(sandbox, drawn, run_id, busy_until):
    claim(drawn, 2, run_id=run_id, busy_until=busy_until)
    ti = another_run()
    ti.run_id = "mine"
    draw(drawn, "An owl", name="cover", ti=ti)
    assert receipt(drawn / "cover.json")["requests"] == 3
    assert [name for name in names(drawn) if name.startswith("cover.json")] == ["cover.json"]
    assert requests_of(sandbox) == 2


def test_a_claim_of_another_task_is_waited_for_and_then_the_task_fails_with_a_sentence(
    sandbox, drawn, monkeypatch, connect
):
    monkeypatch.setattr("airflow_provider_talecraft.operators.base.MARGIN", -1.5)
    connect(host=sandbox.url, password=sandbox.api_key, extra={"connect_timeout": 1, "read_timeout": 1})
    place = claim(drawn, 2, run_id="other", busy_until="2999-01-02T03:04:05+00:00")
    with pytest.raises(FAILURES, match="Another task draws this picture now"):
        draw(drawn, "An owl", name="cover")
    assert place.exists()
    assert requests_of(sandbox) == 1


@pytest.mark.parametrize("change", ["refused", "drawn"])
def test_who_goes_by_an_old_receipt_does_not_ask(sandbox, tmp_path, monkeypatch, change):
    """Between the last look and the claim, another task has come and gone."""
    from airflow_provider_talecraft.spending.receipt import Receipt

    killed_while_asking(tmp_path / "cover.json")
    begin, others = Receipt.begin, []

    def late(self, entry):
        if not others:
            others.append(True)
            if change == "refused":
                sandbox.faults([{"message": "insufficient credits"}])
            try_to_draw(tmp_path)
        begin(self, entry)

    monkeypatch.setattr(Receipt, "begin", late)
    result = draw(tmp_path, name="cover")
    assert result["drawn"] == (change == "refused")
    assert len(sandbox.ledger()["charges"]) == 1
    assert names(tmp_path) == ["cover.jpeg", "cover.json"]


# An answer that comes so late that another task has taken over


def drawn_in_the_meantime(monkeypatch, folder, prompt, *, then):
    """Have another run draw *prompt* there while the first request is on its way, and then *then* become of it."""
    from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook

    send, others = TaleCraftHook.send, []

    def slowly(self, request, **options):
        if not others:
            others.append(None)
            edit(folder / "cover.json", busy_until="2026-01-02T03:04:05+00:00")
            others[0] = draw(folder, prompt, name="cover")
            if isinstance(then, Exception):
                raise then
        return send(self, request, **options)

    monkeypatch.setattr(TaleCraftHook, "send", slowly)
    return others


@pytest.mark.parametrize(
    "error", [TaleCraftOutcomeUnknownError("No answer."), TaleCraftGenerationFailedError("Generation failed")], ids=type
)
@pytest.mark.parametrize("prompt", ["A fox", "An owl"])
def test_who_gets_no_picture_so_late_leaves_the_others_receipt_as_it_is(sandbox, tmp_path, monkeypatch, error, prompt):
    others = drawn_in_the_meantime(monkeypatch, tmp_path, prompt, then=error)
    with pytest.raises(FAILURES):
        draw(tmp_path, "A fox", name="cover")
    assert receipt(tmp_path / "cover.json")["state"] == "stored"
    assert draw(tmp_path, prompt, name="cover") == {**others[0], "drawn": False}
    assert requests_of(sandbox) == 1


def test_who_gets_the_same_picture_so_late_returns_the_one_that_stands(sandbox, tmp_path, monkeypatch, caplog):
    others = drawn_in_the_meantime(monkeypatch, tmp_path, "A fox", then="delivered")
    assert draw(tmp_path, "A fox", name="cover") == {**others[0], "drawn": False}
    late = sandbox.ledger()["charges"][-1]["image_url"]
    assert f"this one's is paid for too, and is at {late}" in caplog.text
    assert names(tmp_path) == ["cover.jpeg", "cover.json"]


@pytest.mark.parametrize(("prompt", "redraw"), [("An owl", "when_changed"), ("A fox", "always")])
def test_who_gets_another_picture_so_late_says_where_it_is_and_does_not_pay_again(
    sandbox, tmp_path, monkeypatch, prompt, redraw
):
    others = drawn_in_the_meantime(monkeypatch, tmp_path, prompt, then="delivered")
    with pytest.raises(
        AirflowFailException, match=r"Another picture was asked for here meanwhile.*is at http.*pay again"
    ):
        draw(tmp_path, "A fox", name="cover", redraw=redraw)
    assert draw(tmp_path, prompt, name="cover") == {**others[0], "drawn": False}
    assert requests_of(sandbox) == 2


# Answers that come so late that another task has taken over


def a_record(folder, run_id, *, lease):
    """Return what a task instance goes by."""
    from airflow_provider_talecraft.api.models import IllustrationRequest
    from airflow_provider_talecraft.spending.receipt import Receipt
    from airflow_provider_talecraft.spending.record import SpendRecord, fingerprint

    request = IllustrationRequest("A fox").payload()
    owner = {"dag_id": "d", "task_id": "t", "run_id": run_id, "map_index": -1}
    path = ObjectStoragePath(f"file://{folder}/cover.json")
    kept = Receipt(path, files=["cover.jpeg"], request=request, owner=owner, lease=lambda: lease)
    return SpendRecord(kept, fingerprint=fingerprint(request), max_tries=4, try_number=1, max_replays=1)


def test_a_person_can_read_it_and_it_says_nothing_that_is_not_so_yet(tmp_path):
    with a_record(tmp_path, "第一次", lease=600).attempt("A fox"):
        text = (tmp_path / "cover.json").read_text(encoding="utf-8")
    assert text.endswith("\n}\n")
    assert {' "state": "asked",', ' "run_id": "第一次",', ' "credits": 0,'} <= set(text.splitlines())
    assert "replaces" not in text


def test_others_are_told_until_when_to_wait_by_the_claim_and_by_the_answer(tmp_path, monkeypatch):
    killed_while_asking(tmp_path / "cover.json")
    monkeypatch.setattr(claims, "_remove", lambda _: None)  # as if it were killed before
    record = a_record(tmp_path, "mine", lease=600)
    with record.attempt("A fox"):
        for name in ("cover.json", "cover.json.2"):
            assert not claims.is_over(receipt(tmp_path / name))
    record.deliver({"id": "1", "status": "success", "image_url": "https://cdn.test/fox.jpeg"})
    assert not claims.is_over(receipt(tmp_path / "cover.json"))


def test_of_two_that_saw_no_receipt_one_asks(tmp_path):
    one, other = a_record(tmp_path, "one", lease=600), a_record(tmp_path, "other", lease=600)
    with one.attempt("A fox"):
        with pytest.raises(TakenError, match=r"the receipt .*cover\.json"), other.attempt("A fox"):
            pytest.fail("two have asked")
        assert receipt(tmp_path / "cover.json")["run_id"] == "one"


@pytest.mark.parametrize(("run_id", "lease"), [("another", -1), ("late", 600)], ids=["lost too", "the own retry"])
def test_an_answer_that_comes_late_is_kept_with_what_was_asked_for_since(tmp_path, run_id, lease):
    """The request that was taken for lost has its answer; the one that was sent since has none."""
    late = a_record(tmp_path, "late", lease=-1)
    with late.attempt("A fox"):
        edit(tmp_path / "cover.json", unanswered=["2026-01-02T03:04:05+00:00"])
        mine = late._entry.unanswered[0]
        a_record(tmp_path, run_id, lease=lease).attempt("A fox").__enter__()
        edit(tmp_path / "cover.json", unanswered=[mine, "2026-01-02T03:04:06+00:00"])
    late.deliver({"id": "1", "status": "success", "image_url": "https://cdn.test/fox.jpeg"})
    kept = receipt(tmp_path / "cover.json")
    assert (kept["state"], kept["run_id"], kept["id"]) == ("answered", "late", "1")
    assert (kept["requests"], kept["replays"], kept["unanswered"]) == (2, 1, ["2026-01-02T03:04:06+00:00"])


def test_an_answer_that_comes_late_leaves_the_mark_of_another_request_that_is_on_its_way(tmp_path):
    """Else a third task would not wait for that one, and send its own beside it."""
    late = a_record(tmp_path, "late", lease=-1)
    with late.attempt("A fox"):
        a_record(tmp_path, "another", lease=600).attempt("A fox").__enter__()
        written = receipt(tmp_path / "cover.json")
    late.deliver({"id": "1", "status": "success", "image_url": "https://cdn.test/fox.jpeg"})
    assert receipt(tmp_path / "cover.json") == written


def test_an_answer_that_comes_late_replaces_the_picture_that_has_been_put_there_since(sandbox, tmp_path):
    late = a_record(tmp_path, "late", lease=-1)
    with late.attempt("A fox"):
        draw(tmp_path, "An owl", name="cover")
        a_record(tmp_path, "late", lease=600).attempt("A fox").__enter__()
    late.deliver({"id": "1", "status": "success", "image_url": "https://cdn.test/fox.jpeg"})
    kept = receipt(tmp_path / "cover.json")
    assert (kept["state"], kept["id"], kept["replaces"]["prompt"]) == ("answered", "1", "An owl")


def test_a_store_that_takes_nothing_is_asked_less_and_less_often_and_given_up_in_time(tmp_path, monkeypatch):
    from airflow_provider_talecraft.spending import receipt as module

    class Time:
        now, slept = 0.0, []

        def monotonic(self):
            return self.now

        def sleep(self, seconds):
            self.slept.append(seconds)
            self.now += seconds

    record, clock = a_record(tmp_path, "mine", lease=600), Time()
    with record.attempt("A fox"):
        pass
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module.Receipt, "_write", lambda *_: (_ for _ in ()).throw(ConnectionError("gone")))
    record.deliver({"id": "1", "status": "success", "image_url": "https://cdn.test/fox.jpeg"})
    assert clock.slept[:6] == [1, 2, 4, 8, 8, 8]
    assert module.PATIENCE - 8 < clock.now <= module.PATIENCE


@pytest.mark.parametrize("error", [TaleCraftOutcomeUnknownError, TaleCraftGenerationFailedError])
def test_what_another_task_has_written_meanwhile_is_left_as_it_is(tmp_path, error):
    late = a_record(tmp_path, "late", lease=-1).attempt("A fox")
    late.__enter__()
    a_record(tmp_path, "another", lease=600).attempt("A fox").__enter__()
    written = receipt(tmp_path / "cover.json")
    assert late.__exit__(error, error("too late"), None) is False
    assert receipt(tmp_path / "cover.json") == written
    assert (written["run_id"], written["requests"], written["replays"]) == ("another", 2, 1)

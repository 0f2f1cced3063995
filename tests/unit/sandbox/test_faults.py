"""Scripted faults, each over a real socket: what the client sees, and whether it paid."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st
from patience import PATIENCE

from airflow_provider_talecraft.sandbox import Sandbox

GOOD = {"prompt": "a fox"}
FREE, PAID = 1000, 998


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            {"message": "Generation failed"},
            (200, {"content-type": "application/json"}, b'{"code": -1, "message": "Generation failed"}', FREE),
        ),
        (
            {"message": "slow down", "status": 429, "retry_after": 7},
            (429, {"retry-after": "7"}, b'{"code": -1, "message": "slow down"}', FREE),
        ),
        (
            {"message": "x", "status": 503, "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"},
            (503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, b'{"code": -1, "message": "x"}', FREE),
        ),
        (
            {"message": "x", "retry_after": 1.5, "headers": {"X-Plan": "free"}},
            (200, {"retry-after": "1.5", "x-plan": "free"}, b'{"code": -1, "message": "x"}', FREE),
        ),
        (
            {"message": "x", "delay_before_charge": 0.01, "delay_after_charge": 0.01},
            (200, {}, b'{"code": -1, "message": "x"}', FREE),
        ),
        ({"status": 500}, (500, {"content-length": "0"}, b"", FREE)),
        ({"status": 429, "retry_after": "soon"}, (429, {"retry-after": "soon"}, b"", FREE)),
        ({"status": 204}, (204, {"content-length": None}, b"", FREE)),
        ({"status": 304}, (304, {}, b"", FREE)),
        ({"status": 500, "charge": True}, (500, {}, b"", PAID)),
        ({"body": "<h1>Bad Gateway</h1>", "status": 502}, (502, {"content-type": "application/json"}, None, FREE)),
        (
            {"body": "<h1>Bad Gateway</h1>", "status": 502, "content_type": "text/html", "charge": True},
            (502, {"content-type": "text/html", "content-length": "20"}, b"<h1>Bad Gateway</h1>", PAID),
        ),
        (
            {"body": '{"code": 0, "message": "ok", "data": {"id": "x"}}', "charge": True},
            (200, {}, b'{"code": 0, "message": "ok", "data": {"id": "x"}}', PAID),
        ),
        ({"body": "", "charge": False}, (200, {"content-length": "0"}, b"", FREE)),
        ({"body": "x", "headers": {"Content-Type": "text/plain"}}, (200, {"content-type": "text/plain"}, b"x", FREE)),
        (
            {"page": 521, "headers": {"Server": "cloudflare"}, "retry_after": 5},
            (521, {"content-type": "text/html", "server": "cloudflare", "retry-after": "5"}, None, FREE),
        ),
        ({"page": 403}, (403, {"content-type": "text/html"}, None, FREE)),
        ({"page": 524, "charge": True}, (524, {"content-type": "text/html"}, None, PAID)),
        ({"redirect": "https://elsewhere.example/"}, (307, {"location": "https://elsewhere.example/"}, b"", FREE)),
        ({"redirect": "/login", "status": 302}, (302, {"location": "/login"}, b"", FREE)),
    ],
)
def test_a_scripted_answer_arrives_as_it_was_scripted(box, fault, expected):
    status, headers, body, credits_left = expected
    box.sandbox.fault(**fault)
    response = box.generate(GOOD)

    assert response.status_code == status
    assert {name: response.headers.get(name) for name in headers} == headers
    if body is not None:
        assert response.content == body
    assert box.sandbox.ledger()["credits"] == credits_left
    assert box.outcomes() == ["faulted"]
    assert box.generate(GOOD).json()["code"] == 0, "the fault was for one request"


@pytest.mark.parametrize(("moment", "credits_left"), [("before_charge", FREE), ("after_charge", PAID)])
def test_a_drop_resets_the_connection_without_a_byte(box, caplog, moment, credits_left):
    box.sandbox.fault(drop=moment)
    with socket.create_connection((box.sandbox.host, box.sandbox.port)) as connection:
        connection.sendall(_raw(GOOD))
        with pytest.raises(ConnectionResetError):
            connection.recv(1)

    ledger = box.sandbox.ledger()
    assert ledger["credits"] == credits_left
    assert [charge["answered"] for charge in ledger["charges"]] == [False] * len(ledger["charges"])
    assert box.outcomes() == ["dropped"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("length", [0, 1, 60])
def test_a_truncated_answer_announces_all_and_ends_early(box, caplog, length):
    box.sandbox.fault(truncate=length, headers={"X-Cut": "yes"})
    with socket.create_connection((box.sandbox.host, box.sandbox.port)) as connection:
        connection.sendall(_raw(GOOD))
        response = http.client.HTTPResponse(connection)
        response.begin()
        with pytest.raises(http.client.IncompleteRead) as cut:
            response.read()

    (charge,) = box.sandbox.ledger()["charges"]
    data = {"id": charge["id"], "status": "success", "image_url": charge["image_url"]}
    whole = json.dumps({"code": 0, "message": "ok", "data": data}).encode()
    assert response.getheader("content-length") == str(len(whole))
    assert response.getheader("x-cut") == "yes"
    assert cut.value.partial == whole[:length]
    assert charge["answered"] is False
    assert box.outcomes() == ["faulted"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_delay_before_the_charge_is_not_charged_yet_and_one_after_it_is(call, eventually):
    with ThreadPoolExecutor(2) as pool, Sandbox() as sandbox:
        sandbox.faults([{"prompt": "early", "delay_before_charge": 60}, {"prompt": "late", "delay_after_charge": 60}])
        for prompt in ("early", "late"):
            pool.submit(call(sandbox).generate, {"prompt": prompt})
        eventually(lambda: len(sandbox.ledger()["requests"]) == 2 and sandbox.ledger()["charges"])
        (charge,) = sandbox.ledger()["charges"]
        assert (charge["prompt"], charge["answered"]) == ("late", False)
        assert call(sandbox).outcomes() == ["in progress"] * 2


def test_a_release_ends_the_delays_that_are_running_and_no_later_one(box, eventually):
    held = [{"delay_before_charge": 3600}, {"delay_after_charge": 3600}, {"message": "x", "delay_before_charge": 3600}]
    box.sandbox.faults([*held, {"prompt": "a snail", "delay_after_charge": 3600}])
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(box.generate, GOOD) for _ in held]
        eventually(lambda: box.outcomes() == ["in progress"] * 3 and not box.get("/sandbox/faults").json()[1:])
        assert box.post("/sandbox/release", {}).status_code == 200
        assert sorted(one.result(PATIENCE).json()["message"] for one in running) == ["ok", "ok", "x"]
        last = pool.submit(box.generate, {"prompt": "a snail"})
        eventually(lambda: box.outcomes()[3:] == ["in progress"] and len(box.sandbox.ledger()["charges"]) == 3)
        assert not last.done()
        box.sandbox.release()
        assert last.result(PATIENCE).json()["message"] == "ok"


def test_a_fault_that_only_delays_or_adds_headers_leaves_the_true_answer(box):
    box.sandbox.faults([{"delay_after_charge": 0.01}, {"headers": {"X-Trace": "1"}}])

    assert box.generate(GOOD).json()["code"] == 0
    response = box.generate(GOOD)
    assert (response.json()["code"], response.headers["x-trace"]) == (0, "1")
    assert box.outcomes() == ["delivered"] * 2


@pytest.mark.parametrize(
    "fault", [{"interim": [103]}, {"interim": [100, 102, 103, 103]}, {"interim": [103], "page": 403}], ids=str
)
def test_interim_answers_come_before_the_one_that_counts(box, fault):
    box.sandbox.fault(**fault)
    with socket.create_connection((box.sandbox.host, box.sandbox.port)) as connection:
        connection.sendall(_raw(GOOD).replace(b"Host: x", b"Host: x\r\nConnection: close"))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    statuses = [int(status) for status in re.findall(rb"^HTTP/1.1 (\d+)", received, re.MULTILINE)]
    assert statuses == [*fault["interim"], fault.get("page", 200)]
    assert box.sandbox.ledger()["credits"] == (FREE if "page" in fault else PAID)


def test_an_uncharged_fault_answers_before_the_checks_and_a_charged_one_after_them(box):
    box.sandbox.faults([{"message": "User not found"}, {"body": "x", "charge": True}, {"drop": "after_charge"}])

    assert box.generate({}, key=None).json()["message"] == "User not found"
    assert box.generate(GOOD, key="wrong").json()["message"] == "Invalid API key"
    assert box.generate({}).json()["message"] == "prompt is required"
    assert box.get("/sandbox/faults").json() == []


def test_faults_are_taken_in_order_by_the_requests_they_match(box):
    box.sandbox.faults(
        [
            {"message": "for foxes", "prompt": "fox", "times": 2},
            {"message": "once, for anybody"},
            {"message": "for whales, until cleared", "prompt": "whale", "times": None},
        ]
    )
    said = [box.generate(body).json()["message"] for body in ({"prompt": "a whale"}, GOOD, {"prompt": "whales"}, {})]
    assert said == ["once, for anybody", "for foxes", "for whales, until cleared", "prompt is required"]
    assert box.get("/sandbox/faults").json() == [
        {"message": "for foxes", "prompt": "fox", "times": 1},
        {"message": "for whales, until cleared", "prompt": "whale", "times": None},
    ]
    assert requests.delete(f"{box.sandbox.url}/sandbox/faults", timeout=PATIENCE).json() == []
    assert box.generate({"prompt": "a whale"}).json()["code"] == 0


def test_a_fault_for_any_prompt_also_meets_a_request_that_cannot_be_read(box):
    box.sandbox.fault(message="Generation failed", times=None)

    assert box.generate(data=b"<").json()["message"] == "Generation failed"
    assert box.generate({"prompt": "x" * 2_000_000}).json()["message"] == "Generation failed"


def test_faults_are_scripted_over_http_one_or_several(box):
    assert box.post("/sandbox/faults", {"message": "one"}).json() == [{"message": "one", "times": 1}]
    assert len(box.post("/sandbox/faults", [{"message": "two"}, {"drop": "before_charge"}]).json()) == 3


NONSENSE = [
    (7, "a fault is an object, not a number"),
    ({}, "needs an effect"),
    ({"prompt": "fox"}, "needs an effect"),
    ({"mesage": "x"}, "unknown field 'mesage'"),
    ({"message": 7}, "message: a string is wanted"),
    ({"message": None}, "message: a string is wanted, not null"),
    ({"message": "\ud800"}, "message: the text holds half a surrogate pair"),
    ({"prompt": ["x"], "message": "x"}, "prompt: a string is wanted"),
    ({"message": "x", "times": 0}, "times: a whole number of at least 1"),
    ({"message": "x", "times": True}, "times:"),
    ({"message": "x", "times": 1.5}, "times:"),
    ({"page": 200}, "page: a whole number from 400 to 599"),
    ({"page": 502, "status": 502}, "status goes with message, body, redirect, status, not with page"),
    ({"interim": []}, "interim: a list of 1 to"),
    ({"interim": 103}, "interim: a list of 1 to"),
    ({"interim": [101]}, "interim: a list of 1 to"),
    ({"interim": [200]}, "interim: a whole number from 100 to 199"),
    ({"interim": [103], "drop": "before_charge"}, "interim goes with"),
    ({"status": 199}, "status: a whole number from 200 to 599"),
    ({"status": 600}, "status:"),
    ({"status": "500"}, "status:"),
    ({"status": 204, "body": "x"}, "status: an answer with status 204 has no body, so body contradicts it"),
    ({"status": 304, "message": "x"}, "status:"),
    ({"status": 500, "drop": "before_charge"}, "status goes with message, body, redirect, status, not with drop"),
    ({"status": 500, "truncate": 4}, "status goes with"),
    ({"status": 500, "redirect": "/x"}, "status: a redirect has a status from 300 to 399"),
    ({"delay_before_charge": -1}, "delay_before_charge: -1 is not a number of seconds"),
    ({"delay_after_charge": float("nan")}, "delay_after_charge:"),
    ({"delay_after_charge": "1"}, "delay_after_charge: a number of seconds is wanted, not a string"),
    ({"drop": "now"}, "drop: 'before_charge' or 'after_charge'"),
    ({"drop": ["x"]}, "drop:"),
    ({"truncate": -1}, "truncate: a whole number of at least 0"),
    ({"truncate": False}, "truncate:"),
    ({"message": "x", "body": "y"}, "message and body contradict each other"),
    ({"drop": "after_charge", "truncate": 4}, "drop and truncate contradict each other"),
    ({"message": "x", "charge": True}, "charge goes with body, page, status, not with message"),
    ({"drop": "after_charge", "charge": True}, "charge goes with"),
    ({"body": "x", "charge": "yes"}, "charge: true or false is wanted"),
    ({"message": "x", "content_type": "text/html"}, "content_type goes with body"),
    ({"delay_after_charge": 1, "retry_after": 1}, "retry_after goes with"),
    ({"message": "x", "retry_after": "1\r\nX-Evil: 1"}, "retry_after: a header value has no line breaks"),
    ({"message": "x", "retry_after": True}, "retry_after:"),
    ({"message": "x", "retry_after": " 1"}, "retry_after: a header value has no"),
    ({"message": "x", "retry_after": "\u2603"}, "retry_after: a header value has no"),
    ({"redirect": "/\n"}, "redirect: a header value"),
    ({"message": "x", "headers": {"a b": "x"}}, "headers: 'a b' is not a header name"),
    ({"message": "x", "headers": {"X": 1}}, "headers: a string is wanted"),
    ({"message": "x", "headers": ["X"]}, "headers: an object of header names"),
    ({"message": "x", "headers": {"Content-Length": "3"}}, "headers: Content-Length is the server's own"),
    ({"drop": "before_charge", "headers": {"X": "1"}}, "headers goes with"),
]


@pytest.mark.parametrize(("script", "sentence"), NONSENSE)
def test_nonsense_is_refused_with_a_sentence_that_names_the_field(box, script, sentence):
    response = box.post("/sandbox/faults", data=json.dumps([{"message": "good"}, script]), headers=_JSON)

    assert response.status_code == 400
    assert sentence in response.json()["error"] or "Unexpected number in JSON" in response.json()["error"]
    assert box.get("/sandbox/faults").json() == [], "all or none"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        box.sandbox.faults([script])


_text = st.text(max_size=5) | st.integers()
_ANY_FAULT = st.fixed_dictionaries(
    {},
    optional={
        "message": _text,
        "status": st.sampled_from((200, 204, 304, 429, 502)) | st.integers(190, 610),
        "retry_after": _text | st.floats(),
        "drop": st.sampled_from(("before_charge", "after_charge", "now")),
        "truncate": st.integers(-1, 300),
        "body": _text,
        "content_type": _text,
        "charge": st.booleans(),
        "redirect": _text,
        "headers": st.dictionaries(
            st.sampled_from(("X-A", "Connection", "Date", "a b", "Location")), _text, max_size=2
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(script=_ANY_FAULT)
@example(script={"status": 204, "charge": True, "headers": {"Connection": "close"}})
@example(script={"message": ""})
@example(script={"truncate": 0})
def test_a_fault_is_either_refused_with_a_sentence_or_acted_out(running_sandbox, script):
    try:
        running_sandbox.fault(**script)
    except ValueError as error:
        assert str(error)
        return
    with socket.create_connection((running_sandbox.host, running_sandbox.port), 15) as connection:
        connection.sendall(_raw(GOOD).replace(b"Host: x", b"Host: x\r\nConnection: close"))
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    assert bool(received) != ("drop" in script)
    assert b"Internal Server Error" not in received.partition(b"\r\n\r\n")[2], "the body of a crash"
    assert running_sandbox.ledger()["requests"][-1]["outcome"] in {"faulted", "dropped", "delivered"}


_JSON = {"Content-Type": "application/json"}


def _raw(body: object) -> bytes:
    encoded = json.dumps(body).encode()
    head = (
        f"POST /api/v1/generate HTTP/1.1\r\nHost: x\r\nX-API-Key: sandbox-key\r\nContent-Length: {len(encoded)}\r\n\r\n"
    )
    return head.encode() + encoded

"""POST /api/v1/generate over a real socket: the words, their order, and the money."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import PATIENCE

from airflow_provider_talecraft.sandbox import Sandbox

GOOD = {"prompt": "a fox"}
NO_KEY = "API key is required. Please provide X-API-Key header."


def test_a_picture_costs_two_credits_and_comes_with_two_different_ids(box):
    response = box.generate({"prompt": "a fox", "style": "children_book", "aspect_ratio": "16:9"})

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert (answer["code"], answer["message"]) == (0, "ok")
    assert set(answer["data"]) == {"id", "status", "image_url"}
    assert answer["data"]["status"] == "success"
    base, _, name = answer["data"]["image_url"].rpartition("/")
    assert base == f"{box.sandbox.url}/uploads/illustrations"
    assert uuid.UUID(name.removesuffix(".jpeg")) != uuid.UUID(answer["data"]["id"])
    ledger = box.sandbox.ledger()
    assert (ledger["credits"], ledger["spent"]) == (998, 2)
    (charge,) = ledger["charges"]
    assert charge == {
        "id": answer["data"]["id"],
        "time": charge["time"],
        "prompt": "a fox",
        "style": "children_book",
        "aspect_ratio": "16:9",
        "credits": 2,
        "image_url": answer["data"]["image_url"],
        "answered": True,
    }


@pytest.mark.parametrize(
    ("key", "body", "message"),
    [
        (None, GOOD, NO_KEY),
        ("", GOOD, NO_KEY),
        ("wrong", GOOD, "Invalid API key"),
        ("SANDBOX-KEY", GOOD, "Invalid API key"),
        ("sandbox-key", {}, "prompt is required"),
        ("sandbox-key", {"prompt": None}, "prompt is required"),
        ("sandbox-key", {"prompt": ""}, "prompt is required"),
        ("sandbox-key", {"prompt": " \t\n\u3000"}, "prompt is required"),
        ("sandbox-key", {"prompt": 7}, "prompt must be a string"),
        ("sandbox-key", {"prompt": ["a fox"]}, "prompt must be a string"),
        ("sandbox-key", {"prompt": "a fox", "style": "noir"}, "Unsupported style"),
        ("sandbox-key", {"prompt": "a fox", "style": ""}, "Unsupported style"),
        ("sandbox-key", {"prompt": "a fox", "style": ["children_book"]}, "Unsupported style"),
        ("sandbox-key", {"prompt": "a fox", "aspect_ratio": "5:4"}, "Unsupported aspect_ratio"),
        ("sandbox-key", {"prompt": "a fox", "aspect_ratio": 1}, "Unsupported aspect_ratio"),
        ("sandbox-key", {"prompt": "a fox", "aspect_ratio": {}}, "Unsupported aspect_ratio"),
        ("sandbox-key", {"prompt": "a fox", "style": None}, "Unsupported style"),
        ("sandbox-key", {"prompt": "a fox", "aspect_ratio": None}, "Unsupported aspect_ratio"),
    ],
)
def test_a_refusal_has_the_references_words_and_http_200_and_costs_nothing(box, key, body, message):
    response = box.generate(body, key=key)

    assert (response.status_code, response.json()) == (200, {"code": -1, "message": message})
    ledger = box.sandbox.ledger()
    assert (ledger["credits"], ledger["spent"], ledger["charges"]) == (1000, 0, [])
    assert (ledger["requests"][0]["outcome"], ledger["requests"][0]["message"]) == ("refused", message)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "Unexpected end of JSON input"),
        (b'{"prompt": ', "Unexpected end of JSON input"),
        (b"<html>", "Unexpected token < in JSON at position 0"),
        (b'{"prompt": NaN}', "Unexpected number in JSON"),
        (b"[" * 200_000, "Unexpected number in JSON"),
        (b"9" * 5000, "Unexpected number in JSON"),
        (b"null", "Cannot destructure property 'prompt' of the request body: it is not an object"),
        (b"[1]", "Cannot destructure property 'prompt' of the request body: it is not an object"),
        (b'"a fox"', "Cannot destructure property 'prompt' of the request body: it is not an object"),
    ],
)
def test_a_body_that_is_no_json_object_is_answered_with_an_exceptions_text(box, raw, message):
    response = box.generate(data=raw)

    assert (response.status_code, response.json()) == (200, {"code": -1, "message": message})


def test_the_checks_run_in_the_documented_order(call):
    """Every request has all the faults that are still unnamed; each correction uncovers the next message."""
    every_fault = b'{"prompt": "", "style": "x", "aspect_ratio": "x"}'
    with Sandbox(credits=1) as sandbox:
        caller = call(sandbox)
        said = [
            caller.generate(key=None, data=b"<"),
            caller.generate(key="wrong", data=b"<"),
            caller.generate(data=b"<"),
            caller.generate(data=every_fault),
            caller.generate(data=every_fault.replace(b'""', b'"a fox"')),
            caller.generate({"prompt": "a fox", "aspect_ratio": "x"}),
            caller.generate(GOOD),
        ]
    assert [answer.json()["message"] for answer in said] == [
        NO_KEY,
        "Invalid API key",
        "Unexpected token < in JSON at position 0",
        "prompt is required",
        "Unsupported style",
        "Unsupported aspect_ratio",
        "insufficient credits",
    ]


def test_without_a_style_and_a_ratio_the_defaults_are_meant(box):
    assert box.generate({"prompt": "a fox"}).json()["code"] == 0

    (charge,) = box.sandbox.ledger()["charges"]
    assert (charge["style"], charge["aspect_ratio"]) == ("children_book", "1:1")


def test_a_prompt_in_any_script_is_kept_as_it_came_and_half_a_surrogate_is_replaced(box):
    box.generate({"prompt": "一只小猫 🐈"})
    box.generate(data=rb'{"prompt": "half \ud83d"}')

    assert [charge["prompt"] for charge in box.sandbox.ledger()["charges"]] == ["一只小猫 🐈", "half \ufffd"]
    assert box.get("/sandbox/ledger").json() == box.sandbox.ledger()


def test_several_keys_share_one_account(call):
    with Sandbox(api_keys=("one", "two"), credits=4) as sandbox:
        caller = call(sandbox)
        assert sandbox.api_key == "one"
        assert caller.generate(GOOD, key="one").json()["code"] == 0
        assert caller.generate(GOOD, key="two").json()["code"] == 0
        assert caller.generate(GOOD, key="one").json()["message"] == "insufficient credits"


def test_parallel_requests_never_overdraw_the_account(call):
    with Sandbox(credits=11, latency=0.05) as sandbox, ThreadPoolExecutor(20) as pool:
        caller = call(sandbox)
        together = threading.Barrier(20)

        def generate(number):
            together.wait(PATIENCE)
            return caller.generate({"prompt": f"fox {number}"}).json()["message"]

        messages = sorted(pool.map(generate, range(20)))
        ledger = sandbox.ledger()
    assert messages == ["insufficient credits"] * 15 + ["ok"] * 5
    assert (ledger["credits"], ledger["spent"], len(ledger["charges"])) == (1, 10, 5)


def test_a_client_that_goes_away_is_charged_all_the_same(call, eventually):
    body = json.dumps(GOOD).encode()
    with Sandbox(latency=0.1) as sandbox:
        with socket.create_connection((sandbox.host, sandbox.port)) as connection:
            head = f"POST /api/v1/generate HTTP/1.1\r\nHost: x\r\nX-API-Key: sandbox-key\r\nContent-Length: {len(body)}"
            connection.sendall(f"{head}\r\n\r\n".encode() + body)
        (charge,) = eventually(lambda: sandbox.ledger()["charges"])
        eventually(lambda: call(sandbox).outcomes() == ["lost"])
        assert charge["answered"] is False
        assert sandbox.ledger()["credits"] == 998


def test_a_client_that_goes_away_in_the_middle_of_its_request_is_not_charged(box, eventually):
    with socket.create_connection((box.sandbox.host, box.sandbox.port)) as connection:
        connection.sendall(b"POST /api/v1/generate HTTP/1.1\r\nHost: x\r\nX-API-Key: sandbox-key\r\n")
        connection.sendall(b'Content-Length: 20\r\n\r\n{"prompt"')
        eventually(lambda: box.outcomes() == ["in progress"])
    eventually(lambda: box.outcomes() == ["lost"])
    assert box.sandbox.ledger()["charges"] == []


def test_a_large_prompt_passes_and_a_body_over_one_mebibyte_is_refused(box):
    assert box.generate({"prompt": "x" * 1_000_000}).json()["code"] == 0
    refused = box.generate({"prompt": "x" * 3_000_000})

    assert (refused.status_code, refused.json()["code"]) == (413, -1)
    assert "larger than 1048576 bytes" in refused.json()["message"]
    assert box.generate({"prompt": "x" * 3_000_000}, key="wrong").json()["message"] == "Invalid API key"
    assert len(box.sandbox.ledger()["requests"][0]["prompt"]) == 200


def test_a_client_that_is_still_sending_too_much_can_read_the_refusal(box):
    """http.client gives up at a reset while it sends; requests would not, and hide it."""
    connection = http.client.HTTPConnection(box.sandbox.host, box.sandbox.port, timeout=PATIENCE)
    connection.request("POST", "/api/v1/generate", b" " * 6_000_000, {"X-API-Key": "sandbox-key"})
    with connection.getresponse() as response:
        assert response.status == 413
        assert json.loads(response.read())["code"] == -1
    connection.close()


def test_a_body_that_claims_to_be_huge_is_refused_before_it_is_sent(box):
    with socket.create_connection((box.sandbox.host, box.sandbox.port), PATIENCE) as connection:
        connection.sendall(b"POST /api/v1/generate HTTP/1.1\r\nHost: x\r\nX-API-Key: sandbox-key\r\n")
        connection.sendall(b"Content-Length: 99999999999\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.getheader("connection")) == (413, "close")


def test_a_chunked_body_without_end_is_refused_once_it_is_too_large(box):
    chunk = b" " * 65536

    def endless():
        for _ in range(40):
            yield chunk

    assert box.generate(data=endless()).status_code == 413


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("localhost:9000", "http://localhost:9000"),
        ("pictures.example.com", "http://pictures.example.com"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("evil.example/path?", None),
        ('x"><script>', None),
        ("user@evil.example", None),
        ("x:99999", None),
        ("x:0", None),
        ("", None),
    ],
)
def test_a_picture_is_addressed_by_the_host_that_was_asked_unless_that_is_no_host(box, host, base):
    url = box.generate(GOOD, headers={"Host": host}).json()["data"]["image_url"]

    assert url.startswith(f"{base or box.sandbox.url}/uploads/illustrations/")


def test_a_public_url_wins_over_the_host(call):
    with Sandbox(public_url="https://cdn.example.com/talecraft/") as sandbox:
        url = call(sandbox).paint()["image_url"]
    assert url.startswith("https://cdn.example.com/talecraft/uploads/illustrations/")


def test_get_is_not_a_way_to_generate(box):
    assert box.get("/api/v1/generate").status_code == 405


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_bodies = st.one_of(
    st.binary(max_size=200),
    _json.map(json.dumps).map(str.encode),
    st.fixed_dictionaries({}, optional={"prompt": _json, "style": _json, "aspect_ratio": _json})
    .map(json.dumps)
    .map(str.encode),
)


@settings(max_examples=150, deadline=None)
@given(body=_bodies)
def test_any_body_whatever_gets_an_envelope(running_sandbox, body):
    connection = http.client.HTTPConnection(running_sandbox.host, running_sandbox.port, timeout=PATIENCE)
    try:
        connection.request("POST", "/api/v1/generate", body, {"X-API-Key": "sandbox-key"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    assert response.status == 200
    assert answer["code"] in (0, -1)
    assert isinstance(answer["message"], str)


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(min_size=1, max_size=300))
def test_noise_on_the_socket_does_not_bring_the_server_down(running_sandbox, noise):
    with socket.create_connection((running_sandbox.host, running_sandbox.port), PATIENCE) as connection:
        connection.sendall(noise)
    assert requests.get(f"{running_sandbox.url}/sandbox/faults", timeout=PATIENCE).json() == []

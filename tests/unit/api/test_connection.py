"""The client's connection over real sockets: what proves that nothing was sent, and what ends an answer."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time

import pytest
from clients import FOX, KEY, client, error_from
from loopback import answering, answering_json, drip, read_head, read_request, server
from patience import STUCK

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.client import ANSWER_LIMIT, TaleCraftClient
from airflow_provider_talecraft.api.connection import OneConnection
from airflow_provider_talecraft.api.deadline import Deadline

DELIVERED = b'{"code": 0, "message": "ok", "data": {"id": "1", "status": "success", "image_url": "https://host/x.png"}}'


def test_every_paid_post_opens_its_own_connection():
    body = b'{"code": -1, "message": "Generation failed"}'
    raw = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with server(answering(raw), times=2) as (port, seen):
        one = client(f"http://127.0.0.1:{port}")
        for _ in range(2):
            with pytest.raises(errors.TaleCraftGenerationFailedError):
                one.generate(FOX)
        assert len(seen) == 2


def test_a_refused_connection_was_never_sent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = error_from(f"http://127.0.0.1:{port}")
    assert type(error) is errors.TaleCraftUnavailableError
    assert "nothing was charged" in str(error)
    assert error.status_code is None


def test_a_connection_that_nobody_watched_is_not_one_that_never_was(monkeypatch):
    """Should another release of requests connect in another way, no lost answer may pass for a refusal."""
    monkeypatch.delattr(OneConnection, "get_connection_with_tls_context")
    with server(read_request) as (port, _):
        assert type(error_from(f"http://127.0.0.1:{port}")) is errors.TaleCraftOutcomeUnknownError


@pytest.mark.parametrize(
    "host", ["talecraft.invalid", "a..b", "*", "\N{SOFT HYPHEN}", "a" * 64 + ".com"], ids=lambda host: ascii(host[:20])
)
def test_a_name_that_does_not_resolve_was_never_sent(host):
    error = error_from(f"https://{host}")
    assert type(error) is errors.TaleCraftUnavailableError
    assert "nothing was sent" in str(error)


def test_a_connect_timeout_was_never_sent():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        # A full backlog leaves later connections without an answer.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        slow = TaleCraftClient(
            KEY, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=0.3, read_timeout=5
        )
        with pytest.raises(errors.TaleCraftUnavailableError, match="nothing was charged"):
            slow.generate(FOX)
        for filler in fillers:
            filler.close()


def test_a_tls_handshake_that_fails_was_never_sent():
    with server(lambda connection: connection.sendall(b"HTTP/1.1 400 this is not TLS\r\n\r\n")) as (port, _):
        error = error_from(f"https://127.0.0.1:{port}")
    assert type(error) is errors.TaleCraftUnavailableError


def test_a_certificate_of_nobodys_was_never_sent(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain)
    received = []

    def handle(connection):
        with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as tls:
            received.append(tls.recv(1))

    with server(handle) as (port, _):
        error = error_from(f"https://127.0.0.1:{port}")
    assert type(error) is errors.TaleCraftUnavailableError
    assert received in ([], [b""])


def test_a_ca_bundle_of_the_environment_is_honoured(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.ca))

    def handle(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            answering_json({"code": -1, "message": "Generation failed"})(tls)

    with server(handle) as (port, _):
        assert type(error_from(f"https://127.0.0.1:{port}")) is errors.TaleCraftGenerationFailedError


def test_a_tls_connection_that_breaks_after_the_handshake_is_unknown(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.ca))

    def handle(connection):
        tls = context.wrap_socket(connection, server_side=True)
        read_request(tls)
        raw = socket.socket(fileno=tls.detach())
        raw.sendall(b"\x17\x03\x03\x00\x10not an encryption")  # a TLS record that no key decrypts
        raw.close()

    with server(handle) as (port, _):
        error = error_from(f"https://127.0.0.1:{port}")
    assert type(error) is errors.TaleCraftOutcomeUnknownError


def test_a_ca_bundle_that_is_not_there_is_said_before_anything_is_sent(monkeypatch, sandbox, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    error = error_from(sandbox.url.replace("http:", "https:"))
    assert type(error) is errors.TaleCraftInvalidRequestError
    assert "missing.pem" in str(error)
    assert not sandbox.ledger()["requests"]


def test_a_request_without_tls_does_not_load_the_ca_bundle(monkeypatch, sandbox, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    assert client(sandbox.url).generate(FOX).image_url


def test_an_answer_of_any_size_is_cut_at_the_limit():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"

    def endless(connection):
        read_request(connection)
        with contextlib.suppress(OSError):
            connection.sendall(head)
            for _ in range(100):
                connection.sendall(b"x" * ANSWER_LIMIT)

    with server(endless) as (port, _):
        assert type(error_from(f"http://127.0.0.1:{port}")) is errors.TaleCraftOutcomeUnknownError


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("at_once", "dripped"),
    [
        (b"", b"H"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (HEAD, b"X"),
        (HEAD + b"Content-Length: 1000\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 302 Found\r\nLocation: https://host/\r\nContent-Length: 1000\r\n\r\n", b" "),
    ],
    ids=["status", "continue", "hints", "header", "body", "chunks", "redirect"],
)
def test_an_answer_that_drips_is_given_up_at_the_read_timeout(at_once, dripped):
    started = time.monotonic()

    def handle(connection):
        read_request(connection)
        connection.sendall(at_once)
        drip(connection, dripped)

    with server(handle) as (port, _):
        assert type(error_from(f"http://127.0.0.1:{port}", read_timeout=0.5)) is errors.TaleCraftOutcomeUnknownError
        assert time.monotonic() - started < STUCK


def test_a_proxy_that_drips_is_given_up_at_the_connect_timeout_and_nothing_was_sent(monkeypatch):
    started = time.monotonic()

    def handle(connection):
        read_head(connection)
        drip(connection, b"H")

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with server(handle) as (port, _):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        assert type(error_from("https://talescaleai.com", api_key=KEY)) is errors.TaleCraftUnavailableError
        assert time.monotonic() - started < STUCK


def test_an_answer_over_tls_that_drips_is_given_up_too(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.ca))
    started = time.monotonic()

    def handle(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            read_request(tls)
            tls.sendall(HEAD)
            drip(tls, b"X")

    with server(handle) as (port, _):
        assert type(error_from(f"https://127.0.0.1:{port}", read_timeout=0.5)) is errors.TaleCraftOutcomeUnknownError
        assert time.monotonic() - started < STUCK


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: %d\r\n\r\n" % (len(DELIVERED) + 1) + DELIVERED,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(DELIVERED) + DELIVERED + b"\r\n",
    ],
    ids=["length", "chunks"],
)
def test_an_answer_that_breaks_off_behind_its_json_is_a_paid_picture(framing):
    with server(answering(HEAD + framing)) as (port, _):
        assert client(f"http://127.0.0.1:{port}").generate(FOX).image_url == "https://host/x.png"


def test_a_paid_picture_whose_answer_repeats_a_long_prompt_is_not_lost():
    fields = {**json.loads(DELIVERED), "prompt": "狐" * 100_000}
    with server(answering_json(fields)) as (port, _):
        assert client(f"http://127.0.0.1:{port}").generate(FOX).image_url == "https://host/x.png"


def test_a_firewalls_page_that_breaks_off_is_refused():
    with server(answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n<html>")) as (port, _):
        assert type(error_from(f"http://127.0.0.1:{port}")) is errors.TaleCraftInvalidRequestError


def test_a_broken_answer_that_repeats_the_key_does_not_show_it():
    with server(answering(b"HTTP/1.1 {{x}}\x1b[31m " + KEY.encode() + b"\r\n\r\n")) as (port, _):
        text = str(error_from(f"http://127.0.0.1:{port}", api_key=KEY))
    assert KEY not in text
    assert text.isprintable()
    assert "{{" not in text


EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n"


@pytest.mark.parametrize(
    "interim",
    [
        EARLY_HINTS,
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY_HINTS * 3 + b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 300,
        b"HTTP/1.1 199 Miscellaneous\r\nContent-Length: 5\r\n\r\n",
    ],
    ids=["103", "102", "several", "one a second", "199"],
)
def test_what_comes_before_the_final_answer_is_no_answer(interim):
    final = HEAD + b"Content-Length: %d\r\n\r\n" % len(DELIVERED) + DELIVERED
    with server(answering(interim + final)) as (port, _):
        assert client(f"http://127.0.0.1:{port}").generate(FOX).image_url == "https://host/x.png"


@pytest.mark.parametrize("raw", [EARLY_HINTS, EARLY_HINTS * 2000, b"HTTP/1.1 101 Switching Protocols\r\n\r\n"])
def test_an_answer_that_never_comes_is_unknown(raw):
    with server(answering(raw)) as (port, _):
        assert type(error_from(f"http://127.0.0.1:{port}")) is errors.TaleCraftOutcomeUnknownError


@pytest.mark.parametrize("location", [b"\xff\xfe", b"http://[", b"//", b"http://host:99999999/"])
def test_a_redirect_to_nowhere_is_as_unknown_as_any(location):
    raw = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    with server(answering(raw)) as (port, _):
        error = error_from(f"http://127.0.0.1:{port}")
    assert (type(error), error.status_code) == (errors.TaleCraftOutcomeUnknownError, 302)


def test_a_proxy_of_the_environment_never_sees_a_loopback_host(sandbox, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert client(sandbox.url).generate(FOX).image_url


def test_the_environments_proxy_is_asked_and_its_refusal_means_never_sent(monkeypatch):
    asked = []

    def refuse(connection):
        asked.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with server(refuse) as (port, _):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        error = error_from("https://talescaleai.com", api_key=KEY)
    assert type(error) is errors.TaleCraftUnavailableError
    assert asked[0].startswith("CONNECT talescaleai.com:443 ")
    assert KEY not in asked[0]


def test_a_proxys_connections_share_the_context_and_take_what_requests_says_of_them():
    context = ssl.create_default_context()
    adapter = OneConnection(context, Deadline(), connect_timeout=1, read_timeout=1)
    manager = adapter.proxy_manager_for("http://proxy:3128", timeout=7)
    assert manager.connection_pool_kw["ssl_context"] is context
    assert manager.connection_pool_kw["timeout"] == 7
    assert adapter.poolmanager.connection_pool_kw["ssl_context"] is context

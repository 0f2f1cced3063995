"""The client against the sandbox and against broken servers, over real sockets: what was sent, and what it cost."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

import pytest
from loopback import answering, answering_json, read_head, read_request, server

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.client import ANSWER_LIMIT, USER_AGENT, TaleCraftClient
from airflow_provider_talecraft.api.models import IllustrationRequest

KEY = "tc-key-that-must-not-come-back"
FOX = IllustrationRequest("A fox in the snow", aspect_ratio="16:9")


def client(base_url, *, api_key="sandbox-key", read_timeout=10.0):
    return TaleCraftClient(api_key, base_url=base_url, connect_timeout=2, read_timeout=read_timeout)


def error_from(base_url, **kwargs):
    with pytest.raises(errors.TaleCraftError) as caught:
        client(base_url, **kwargs).generate(FOX)
    return caught.value


def test_a_delivered_picture_is_charged_once(sandbox):
    illustration = client(sandbox.url).generate(FOX)
    (charge,) = sandbox.ledger()["charges"]
    assert (charge["id"], charge["image_url"]) == (illustration.id, illustration.image_url)
    assert (charge["prompt"], charge["style"], charge["aspect_ratio"]) == ("A fox in the snow", "children_book", "16:9")
    assert illustration.status == "success"


@pytest.mark.parametrize(
    "prompt", ["一只狐狸在雪地里", 'quotes " and \\ and {{ jinja }}', "emoji 🦊", "line\nbreak\x00"]
)
def test_any_prompt_arrives_as_it_was_written(sandbox, prompt):
    client(sandbox.url).generate(IllustrationRequest(prompt))
    assert sandbox.ledger()["charges"][0]["prompt"] == prompt


def test_the_request_carries_the_documented_headers_and_nothing_of_the_environment(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password elses\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    requests = []

    def handle(connection):
        requests.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with server(handle) as (port, _):
        error_from(f"http://127.0.0.1:{port}", api_key=KEY)
    head, body = requests[0]
    lines = [line.lower() for line in head.split("\r\n")]
    assert lines[0] == "post /api/v1/generate http/1.1"
    assert f"x-api-key: {KEY}" in lines
    assert "content-type: application/json" in lines
    assert f"user-agent: {USER_AGENT}" in lines
    assert "accept-encoding: identity" in lines
    assert not [line for line in lines if line.startswith(("authorization", "cookie"))]
    assert '"prompt": "A fox in the snow"' in body


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


def test_a_name_that_does_not_resolve_was_never_sent():
    error = error_from("https://talecraft.invalid")
    assert type(error) is errors.TaleCraftUnavailableError


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
    error = error_from(sandbox.url)
    assert type(error) is errors.TaleCraftInvalidRequestError
    assert "missing.pem" in str(error)
    assert not sandbox.ledger()["requests"]


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": "after_charge"},
        {"truncate": 20},
        {"body": "<html>Bad gateway</html>", "content_type": "text/html", "status": 502, "charge": True},
        {"body": "", "charge": True},
        {"body": '{"code": 0, "message": "ok", "data": {"id": "1", "status": "success"}}', "charge": True},
    ],
)
def test_an_answer_lost_after_the_charge_is_unknown(sandbox, fault):
    sandbox.fault(**fault)
    error = error_from(sandbox.url)
    assert type(error) is errors.TaleCraftOutcomeUnknownError
    assert "may have been charged" in str(error)
    assert len(sandbox.ledger()["charges"]) == 1


def test_a_connection_dropped_before_the_charge_is_unknown_all_the_same(sandbox):
    sandbox.fault(drop="before_charge")
    assert type(error_from(sandbox.url)) is errors.TaleCraftOutcomeUnknownError
    assert not sandbox.ledger()["charges"]


def test_a_read_timeout_is_unknown_and_was_charged(sandbox):
    sandbox.fault(delay_after_charge=5)
    assert type(error_from(sandbox.url, read_timeout=0.3)) is errors.TaleCraftOutcomeUnknownError
    assert len(sandbox.ledger()["charges"]) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_since_the_key_would_go_along(sandbox, status):
    with server(read_request) as (port, seen):
        sandbox.fault(redirect=f"http://127.0.0.1:{port}/elsewhere", status=status)
        error = error_from(sandbox.url)
        assert not seen
    assert type(error) is errors.TaleCraftOutcomeUnknownError
    assert error.status_code == status


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


def test_an_answer_that_drips_is_given_up_at_the_read_timeout():
    dripped = []

    def drip(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while len(dripped) < 1000:
            connection.sendall(b" ")
            dripped.append(1)
            time.sleep(0.02)  # the drip's own pace

    with server(drip) as (port, _):
        assert type(error_from(f"http://127.0.0.1:{port}", read_timeout=0.5)) is errors.TaleCraftOutcomeUnknownError
    assert len(dripped) < 1000


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


@pytest.mark.parametrize("key", ["", "two words", "tc-kéy", "tc-key\nX-Other: 1", "tc-key\x00"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key, sandbox):
    with pytest.raises(errors.TaleCraftAuthenticationError, match="nothing was sent") as caught:
        client(sandbox.url, api_key=key)
    assert not key or key not in str(caught.value)


def test_checking_a_key_spends_nothing(sandbox):
    client(sandbox.url).check_key()
    ledger = sandbox.ledger()
    assert not ledger["charges"]
    assert ledger["requests"][0]["message"] == "prompt is required"


def test_checking_an_unknown_key_says_so(sandbox):
    with pytest.raises(errors.TaleCraftAuthenticationError, match="unknown or revoked"):
        client(sandbox.url, api_key="tc-other").check_key()


def test_a_host_that_draws_an_empty_prompt_is_not_talecraft():
    picture = {"id": "1", "status": "success", "image_url": "https://host/x.jpeg"}
    with server(answering_json({"code": 0, "data": picture})) as (port, _):
        with pytest.raises(errors.TaleCraftOutcomeUnknownError, match="check the host"):
            client(f"http://127.0.0.1:{port}").check_key()


def test_a_key_that_the_service_echoes_is_blotted_out(sandbox):
    sandbox.fault(message=f"Invalid API key {KEY}")
    assert "Invalid API key ***" in str(error_from(sandbox.url, api_key=KEY))


def test_nothing_that_an_error_carries_holds_the_key(sandbox):
    sandbox.fault(drop="after_charge")
    with pytest.raises(errors.TaleCraftError) as caught:
        TaleCraftClient(
            KEY, base_url=sandbox.url.replace("http://", "https://"), connect_timeout=2, read_timeout=5
        ).generate(FOX)
    error = caught.value
    while error is not None:
        assert KEY not in str(error) + repr(error) + repr(vars(error))
        assert not hasattr(error, "request"), "a requests error carries the request, and with it the key"
        error = error.__cause__ or error.__context__
    assert KEY not in repr(client(sandbox.url, api_key=KEY))

"""The client against the sandbox and against broken servers, over real sockets: what was sent, and what it cost."""

from __future__ import annotations

import contextlib

import pytest
from clients import FOX, KEY, client, error_from
from loopback import answering_json, read_request, server

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.client import USER_AGENT, TaleCraftClient
from airflow_provider_talecraft.api.models import IllustrationRequest


def test_a_delivered_picture_is_charged_once(sandbox):
    illustration = client(sandbox.url).generate(FOX)
    (charge,) = sandbox.ledger()["charges"]
    assert (charge["id"], charge["image_url"]) == (illustration.id, illustration.image_url)
    assert (charge["prompt"], charge["style"], charge["aspect_ratio"]) == ("A fox in the snow", "children_book", "16:9")
    assert illustration.status == "success"


@pytest.mark.parametrize(
    "prompt", ["一只狐狸在雪地里", 'quotes " and \\ and {{ jinja }}', "emoji 🦊", "line\nbreak\x01"]
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
    assert "accept: application/json" in lines
    assert not [line for line in lines if line.startswith(("authorization", "cookie"))]
    assert '"prompt": "A fox in the snow"' in body


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


def test_a_key_is_checked_with_an_empty_prompt():
    bodies = []

    def handle(connection):
        bodies.append(read_request(connection)[1])
        connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n{"code": -1, "message": "prompt is required"}')

    with server(handle) as (port, _):
        client(f"http://127.0.0.1:{port}").check_key()
    assert bodies == ['{"prompt": ""}']


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
    assert repr(client(sandbox.url, api_key=KEY)) == f"TaleCraftClient({sandbox.url!r})"


@pytest.mark.parametrize(
    "fault",
    [{"headers": {"X-Trace": "1"}}, {"message": "Invalid API key"}, {"drop": "after_charge"}, {"status": 302}],
    ids=str,
)
def test_no_log_at_any_level_holds_the_key(sandbox, caplog, fault):
    sandbox.fault(**fault)
    with caplog.at_level("DEBUG"), contextlib.suppress(errors.TaleCraftError):
        client(sandbox.url, api_key=sandbox.api_key).generate(FOX)
    assert "POST /api/v1/generate" in caplog.text or "drop" in fault
    assert sandbox.api_key not in caplog.text


@pytest.mark.parametrize("interim", [[103], [100, 102, 103, 103]])
def test_early_hints_before_a_paid_answer_do_not_lose_it(sandbox, interim):
    sandbox.fault(interim=interim)
    assert client(sandbox.url).generate(FOX).image_url
    assert len(sandbox.ledger()["charges"]) == 1


@pytest.mark.parametrize(
    ("page", "error"),
    [
        (403, errors.TaleCraftInvalidRequestError),
        (521, errors.TaleCraftUnavailableError),
        (524, errors.TaleCraftOutcomeUnknownError),
    ],
)
def test_an_edges_page_is_what_its_status_says(sandbox, page, error):
    sandbox.fault(page=page, headers={"Server": "cloudflare"})
    assert type(error_from(sandbox.url)) is error


@pytest.mark.parametrize("message", ["Unsupported style", "Invalid API key"])
def test_only_the_documented_answer_to_an_empty_prompt_proves_the_key(sandbox, message):
    sandbox.fault(message=message)
    with pytest.raises(errors.TaleCraftError, match=message):
        client(sandbox.url).check_key()

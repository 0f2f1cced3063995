"""The hook over the sandbox: the connection decides where, and only what cost nothing is sent again."""

from __future__ import annotations

import ssl
from types import SimpleNamespace

import pytest
from loopback import answering_json, server
from state_store import Store

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.hooks import talecraft
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook


def generate(conn_id="talecraft_default", **kwargs):
    return TaleCraftHook(conn_id).generate("A fox in the snow", **kwargs)


def test_a_connection_draws_a_picture(connected):
    illustration = generate(aspect_ratio="3:2")
    assert illustration.image_url.startswith(connected.url)
    assert connected.ledger()["charges"][0]["aspect_ratio"] == "3:2"


def test_the_port_may_be_a_field_of_its_own(connect, sandbox):
    connect(host="http://127.0.0.1", port=sandbox.port, password=sandbox.api_key)
    assert generate().id


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"password": None}, errors.TaleCraftAuthenticationError, "no API key"),
        ({"password": "  "}, errors.TaleCraftAuthenticationError, "no API key"),
        ({"password": "two words"}, errors.TaleCraftAuthenticationError, "contains a blank"),
        ({"host": "talescaleai.com"}, errors.TaleCraftInvalidRequestError, "no scheme"),
        ({"host": "http://talescaleai.com"}, errors.TaleCraftInvalidRequestError, "plain http"),
        ({"extra": {"read_timeout": "soon"}}, errors.TaleCraftInvalidRequestError, "read_timeout"),
    ],
)
def test_a_wrong_connection_is_named(connect, fields, error, says):
    connect(conn_id="books", **{"password": "tc-secret", **fields})
    with pytest.raises(error, match=says) as caught:
        generate("books")
    assert str(caught.value).endswith("(connection 'books')")


def test_a_key_that_was_pasted_with_a_newline_is_masked_without_it(connect):
    try:
        from airflow.sdk.log import redact
    except ImportError:
        try:
            from airflow.sdk.execution_time.secrets_masker import redact
        except ImportError:
            from airflow.utils.log.secrets_masker import redact

    key = "tc-live-pasted-with-a-newline"
    connect(password=f"{key}\n")
    assert TaleCraftHook().settings.api_key == key
    assert key not in redact(f"someone logs {key} here")


def test_an_upstream_error_names_the_connection_once(connect, sandbox):
    connect(conn_id="books", host=sandbox.url, password="tc-unknown")
    with pytest.raises(errors.TaleCraftAuthenticationError) as caught:
        generate("books")
    assert str(caught.value).count("(connection 'books')") == 1
    assert "tc-unknown" not in str(caught.value)


@pytest.mark.parametrize("kwargs", [{"aspect_ratio": "5:4"}, {"style": " "}])
def test_a_request_that_cannot_succeed_is_not_sent(connected, kwargs):
    with pytest.raises(errors.TaleCraftInvalidRequestError, match="nothing was sent"):
        generate(**kwargs)
    assert not connected.ledger()["requests"]


def test_an_unknown_style_is_sent_and_refused_upstream(connected):
    with pytest.raises(errors.TaleCraftInvalidRequestError, match="Unsupported style"):
        generate(style="watercolour")


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 503}, {"status": 503, "message": "Maintenance"}], ids=str
)
def test_a_short_retry_after_is_waited_out(connected, fault):
    connected.fault(**fault, retry_after=0)
    assert generate().id
    assert len(connected.ledger()["charges"]) == 1


def test_a_retry_after_of_zero_is_not_taken_literally(connected, monkeypatch):
    slept = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=slept.append))
    connected.fault(status=429, retry_after=0, times=4)
    assert generate().id
    assert [least <= seconds <= least + 1 for least, seconds in zip([1, 2, 4, 8], slept, strict=True)] == [True] * 4


@pytest.fixture
def kept(monkeypatch):
    """The state store of the task in which the hook is called; every ``generate`` is one of another try."""
    store = Store()
    task_instance = SimpleNamespace(max_tries=3, try_number=1)
    monkeypatch.setattr(talecraft, "get_current_context", lambda: {"ti": task_instance, "task_state_store": store})
    return store


def test_another_try_gets_what_was_delivered_to_an_earlier_one(connected, kept):
    assert generate() == generate()
    assert len(connected.ledger()["charges"]) == 1


def test_a_record_edited_by_hand_is_taken_at_its_url(connected, kept):
    first = generate()
    (key,) = kept.values
    kept.set(key, {**kept.get(key), "result": {"image_url": first.image_url, "note": "checked"}})
    assert generate().image_url == first.image_url


@pytest.mark.parametrize(
    ("conn_id", "error"),
    [("talecraft_nowhere", "Make it under Admin > Connections"), ("keyless", "There is no API key")],
)
def test_a_wrong_connection_is_found_before_the_record_says_that_something_was_sent(connect, kept, conn_id, error):
    connect(conn_id="keyless", password="")
    with pytest.raises(errors.TaleCraftAuthenticationError, match=error) as caught:
        generate(conn_id)
    assert repr(conn_id) in str(caught.value)
    assert not kept.values


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 429, "retry_after": 31},
        {"status": 503},
        {"status": 503, "retry_after": 31},
        {"status": 521},
        {"body": "<html>", "status": 403},
        {"message": "Image generation service is not configured"},
        {"message": "Generation failed"},
        {"drop": "before_charge"},
        {"drop": "after_charge"},
        {"truncate": 10},
        {"body": "<html>", "status": 502},
    ],
)
def test_anything_else_is_sent_once(connected, fault):
    connected.fault(**fault)
    with pytest.raises(errors.TaleCraftError):
        generate()
    assert len(connected.ledger()["requests"]) == 1


def test_a_connection_that_could_not_be_opened_is_tried_again(connect, certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.ca))
    delivered = answering_json({"code": 0, "data": {"id": "1", "status": "success", "image_url": "https://host/x.png"}})

    def handle(connection):
        if len(seen) == 1:
            connection.sendall(b"not a TLS handshake")
            return
        with context.wrap_socket(connection, server_side=True) as tls:
            delivered(tls)

    with server(handle, times=2) as (port, seen):
        connect(host=f"https://127.0.0.1:{port}", password="tc-secret")
        assert generate().id == "1"
        assert len(seen) == 2


def test_the_test_button_proves_the_key_and_spends_nothing(connected):
    ok, message = TaleCraftHook().test_connection()
    assert ok
    assert message == f"{connected.url} accepts the API key. Nothing was charged."
    assert not connected.ledger()["charges"]


@pytest.mark.parametrize("status", [401, 403, 404, 413, 415, 422])
def test_a_web_servers_own_page_is_no_proof_of_the_key(connected, status):
    connected.fault(body="<html>", status=status, content_type="text/html")
    ok, message = TaleCraftHook().test_connection()
    assert not ok
    assert "check the host" in message


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"password": "tc-unknown"}, "Invalid API key"),
        ({"password": ""}, "no API key"),
        ({"host": "http://127.0.0.1:9"}, "Could not connect"),
        ({"host": "127.0.0.1"}, "no scheme"),
    ],
)
def test_the_test_button_says_what_is_wrong(connect, sandbox, fields, says):
    connect(**{"host": sandbox.url, "password": sandbox.api_key, **fields})
    ok, message = TaleCraftHook().test_connection()
    assert not ok
    assert says in message
    # Airflow's page tests under an id that it makes up.
    assert "talecraft_default" not in message


def test_an_error_in_a_task_names_the_connection_that_the_test_button_does_not_name(connect, sandbox):
    connect(host=sandbox.url, password="tc-unknown")
    hook = TaleCraftHook()
    _, message = hook.test_connection()
    with pytest.raises(errors.TaleCraftAuthenticationError) as caught:
        hook.generate("A fox")
    assert str(caught.value) == f"{message} (connection 'talecraft_default')"


def test_the_form_of_airflow_2_has_the_fields_of_the_provider_info():
    behaviour = TaleCraftHook.get_ui_field_behaviour()
    assert behaviour["relabeling"] == {"password": "API key"}
    # Airflow 3.3 tests nothing without a port; 2.11's page for editing tests nothing without the field extra.
    assert not {"port", "extra"} & set(behaviour["hidden_fields"])


def test_the_form_widgets_of_airflow_2_are_those_of_the_provider_info():
    pytest.importorskip("flask_appbuilder", reason="only Airflow 2.11 asks the hook for widgets")
    assert set(TaleCraftHook.get_connection_form_widgets()) == {
        "connect_timeout", "read_timeout", "requests_per_minute", "max_concurrency", "credits_per_day", "image_hosts",
        "allow_http",
    }  # fmt: skip

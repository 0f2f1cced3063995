"""A connection as people and pages write it: understood, or explained without quoting what may be a key."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest
from airflow.providers.common.compat.sdk import Connection
from packaging.version import Version

from airflow_provider_talecraft.exceptions import TaleCraftAuthenticationError, TaleCraftInvalidRequestError
from airflow_provider_talecraft.hooks.settings import ConnectionSettings, picture_hosts


def read(extra=None, **fields):
    text = extra if extra is None or isinstance(extra, str) else json.dumps(extra)
    fields = {"conn_id": "books", "conn_type": "talecraft", "password": "tc-secret", **fields}
    return ConnectionSettings.of(Connection(extra=text, **fields))


def test_the_defaults_are_the_documented_ones():
    assert read() == ConnectionSettings(
        api_key="tc-secret",
        base_url="https://talescaleai.com",
        connect_timeout=5.0,
        read_timeout=300.0,
        requests_per_minute=None,
        max_concurrency=None,
        credits_per_day=None,
        image_hosts=(),
    )


@pytest.mark.parametrize("extra", [None, "", "  ", "{}", {"connect_timeout": ""}, {"connect_timeout": None}, {"x": 1}])
def test_an_empty_or_unknown_extra_leaves_the_defaults(extra):
    assert read(extra) == read()


@pytest.mark.parametrize("value", [30, 30.0, "30", " 30 ", "30.0"])
def test_a_number_is_understood_however_it_was_saved(value):
    names = ("connect_timeout", "read_timeout", "requests_per_minute", "max_concurrency", "credits_per_day")
    settings = read(dict.fromkeys(names, value))
    assert (settings.connect_timeout, settings.read_timeout) == (30.0, 30.0)
    assert (settings.requests_per_minute, settings.max_concurrency, settings.credits_per_day) == (30, 30, 30)


@pytest.mark.parametrize(
    ("value", "hosts"),
    [("a.example, B.example,", ("a.example", "b.example")), (["a.example"], ("a.example",)), ("", ()), ([], ())],
)
def test_image_hosts_are_a_list_or_have_commas_between(value, hosts):
    assert read({"image_hosts": value}).image_hosts == hosts


@pytest.mark.parametrize("value", [True, "true", "True", "1", 1, "yes"])
def test_plain_http_can_be_allowed(value):
    assert read({"allow_http": value}, host="http://sandbox", port=8765).base_url == "http://sandbox:8765"


@pytest.mark.parametrize("value", [False, "false", "0", 0, "", None, "no"])
def test_plain_http_is_otherwise_refused(value):
    with pytest.raises(TaleCraftInvalidRequestError, match="plain http"):
        read({"allow_http": value}, host="http://sandbox")


@pytest.mark.parametrize("password", [None, "", " \n"])
def test_a_missing_or_blank_key_is_an_authentication_error(password):
    with pytest.raises(TaleCraftAuthenticationError, match="no API key: nothing was sent"):
        read(password=password)


def test_a_key_pasted_with_a_newline_is_the_key():
    assert read(password=" tc-secret\n").api_key == "tc-secret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("connect_timeout", "read_timeout", "requests_per_minute", "max_concurrency",
                                     "credits_per_day")
          for value in ("tc-pasted", 0, -1, "-1", True, [], {}, "nan", "inf", 10**400)),
        ("connect_timeout", 1e9), ("read_timeout", "86401"),
        ("requests_per_minute", 1.5), ("max_concurrency", "2.5"),
        ("allow_http", "tc-pasted"), ("allow_http", 2),
        ("image_hosts", 7), ("image_hosts", [7]), ("image_hosts", {"host": "a"}),
        ("image_hosts", "https://tc-pasted"), ("image_hosts", "tc-pasted/path"), ("image_hosts", ["a", "tc pasted"]),
    ],
)  # fmt: skip
def test_a_wrong_extra_is_named_and_not_quoted(name, value):
    with pytest.raises(TaleCraftInvalidRequestError, match="nothing was sent") as caught:
        read({name: value})
    assert repr(name) in str(caught.value)
    assert "tc-pasted" not in str(caught.value)


@pytest.mark.parametrize(
    "extra",
    [
        "tc-pasted",
        "[1]",
        '"text"',
        "{",
        "null",
        pytest.param(
            "[" * 100_000,
            id="deep",
            marks=pytest.mark.skipif(
                Version(version("apache-airflow")) < Version("3"), reason="Airflow 2 itself takes no such connection"
            ),
        ),
    ],
)
def test_an_extra_that_is_no_json_object_is_an_error(extra):
    with pytest.raises(TaleCraftInvalidRequestError, match="extra is not a JSON object") as caught:
        read(extra)
    assert "tc-pasted" not in str(caught.value)


def test_the_key_is_not_in_what_a_debugger_or_a_log_shows():
    assert "tc-secret" not in repr(read())


@pytest.mark.parametrize(
    ("host", "port", "own"),
    [
        (None, None, "talescaleai.com:443"),
        ("http://127.0.0.1", 8765, "127.0.0.1:8765"),
        ("http://127.0.0.1:8765", None, "127.0.0.1:8765"),
        ("http://localhost", None, "localhost:80"),
        ("https://[::1]:9", None, "[::1]:9"),
        ("https://[::1]", None, "[::1]:443"),
    ],
)
def test_pictures_may_come_from_the_services_own_host_and_port_and_from_those_named(host, port, own):
    connection = Connection(
        conn_id="c",
        conn_type="talecraft",
        host=host,
        port=port,
        extra=json.dumps({"image_hosts": "CDN.internal, 10.0.0.5:9000"}),
    )
    assert picture_hosts(connection) == (own, "cdn.internal", "10.0.0.5:9000")

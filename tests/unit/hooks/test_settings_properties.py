"""Whatever a connection says, in whichever form Airflow takes one: settings, or an error that says what is wrong."""

from __future__ import annotations

import json
from types import SimpleNamespace
from urllib.parse import quote

from airflow.providers.common.compat.sdk import Connection
from hypothesis import example, given
from hypothesis import strategies as st
from pytest import MonkeyPatch  # noqa: PT013  # a type, and a context manager

try:
    from airflow.sdk._shared.secrets_masker import _secrets_masker
except ImportError:  # Airflow 2
    from airflow.utils.log.secrets_masker import _secrets_masker

from airflow_provider_talecraft.exceptions import TaleCraftError
from airflow_provider_talecraft.hooks.settings import ConnectionSettings
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook

#: What no text of an error may contain.
KEY = "tc-s3cret-key"
EXTRAS = (
    "connect_timeout", "read_timeout", "requests_per_minute", "max_concurrency", "image_hosts", "allow_http", "unknown",
)  # fmt: skip
HOSTS = (
    "", " ", "talescaleai.com", "https://talescaleai.com", "HTTPS://TALESCALEAI.COM/", "http://127.0.0.1", "http://[::1]",
    "http://[::1", "https://[fe80::1%eth0]:1", "https://x:99999", "https://x:-1", "https://x:", "https://:9", "//x", "https://",
    "ftp://x", "https://x/api", "https://x?y", "https://user:pass@x", "https://ex ample.com", "https://\u72d0\u72f8.example",
    "https://" + "a" * 300 + ".example", "https://a..b", "https://xn--a", "https://%20", "https://x\u2100y", "http://0x7f.1",
)  # fmt: skip
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
hosts = st.none() | st.sampled_from(HOSTS) | text | text.map("https://".__add__) | st.just(f"https://{KEY}@x")
ports = st.none() | st.integers(-1, 70_000)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | text | st.sampled_from([KEY, f"https://{KEY}", "30"])
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=2))
extras = st.dictionaries(st.sampled_from(EXTRAS), values, max_size=4)
documents = st.none() | extras.map(json.dumps) | values.map(json.dumps) | text | st.just(KEY)
keys = st.none() | st.sampled_from(["", " ", KEY, f" {KEY}\n"]) | text


def texts_of(error):
    """Return everything that a log would show of *error*, its causes included."""
    shown = []
    while error is not None:
        shown.append(str(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(shown)


def understood(read):
    """Return what *read* returns, None if it raises an error of ours, which has a sentence and not the key."""
    try:
        return read()
    except TaleCraftError as error:
        assert "nothing was sent" in str(error)
        assert KEY not in texts_of(error)
        return None


def check(hook):
    """Use a hook as an operator does."""
    settings_ = understood(lambda: hook.settings)
    client = understood(hook.get_conn)
    understood(hook.service_url)
    understood(hook.picture_hosts)
    assert client is None or settings_ is not None
    if settings_ is not None:
        assert settings_.api_key
        assert settings_.base_url.startswith(("https://", "http://"))
        assert 0 < settings_.connect_timeout <= 86_400
        assert 0 < settings_.read_timeout <= 86_400
        assert all(limit is None or limit >= 1 for limit in (settings_.requests_per_minute, settings_.max_concurrency))
        assert KEY not in f"{settings_!r} {client!r}"


def hook_of(connection):
    class Hook(TaleCraftHook):
        @classmethod
        def get_connection(cls, *_, **__):
            return connection

    return Hook("books")


@given(host=hosts, port=ports, password=keys, extra=documents)
@example(host="https://x", port=65_536, password=KEY, extra=None)
@example(host="https://x", port=0, password=KEY, extra='{"requests_per_minute": 1e400}')
@example(host="https://x", port=1, password=KEY, extra="9" * 5000)
@example(host="https://x", port=1, password=KEY, extra="[" * 100_000)
@example(host="https://x", port=1, password=KEY, extra=json.dumps({"connect_timeout": "9" * 5000}))
@example(host="https://x", port=1, password=KEY, extra=json.dumps({"allow_http": ["9"] * 5}))
@example(host="https://x", port=1, password=KEY, extra='{"image_hosts": ["\\ud800"]}')
def test_the_fields_of_a_form_are_understood_or_explained(host, port, password, extra):
    # As it comes from a database or a secrets backend, where Airflow has not looked at what is in it.
    check(hook_of(SimpleNamespace(conn_id="books", host=host, port=port, password=password, extra=extra)))


def check_from_environment(value):
    """Check the connection that Airflow reads from *value*; one that it cannot read is none."""
    masker = _secrets_masker()
    with MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_BOOKS", value)
        # Airflow looks for the secrets of all examples so far, in one pattern that each new one makes longer.
        patch.setattr(masker, "patterns", set())
        patch.setattr(masker, "replacer", None)
        check(TaleCraftHook("books"))


@given(
    fields=st.fixed_dictionaries(
        {"conn_type": st.just("talecraft")},
        optional={
            "host": hosts,
            "port": ports | text,
            "password": keys,
            "extra": documents | extras | values,
            "schema": text,
        },
    )
)
def test_a_connection_written_as_json_is_understood_or_explained(fields):
    check_from_environment(json.dumps(fields))


@given(
    scheme=st.sampled_from(["talecraft", "http", "https", "TaleCraft"]),
    key=st.just(KEY) | text,
    host=hosts,
    port=st.none() | st.integers(0, 70_000) | text,
    query=st.dictionaries(st.sampled_from((*EXTRAS, "__extra__")), text | documents, max_size=3),
)
def test_a_connection_written_as_a_uri_is_understood_or_explained(scheme, key, host, port, query):
    options = "&".join(f"{name}={quote(value or '', safe='')}" for name, value in query.items())
    place = quote(host or "", safe="") + ("" if port is None else f":{port}")
    check_from_environment(f"{scheme}://:{quote(key, safe='')}@{place}/?{options}".replace("\0", ""))


def test_what_is_understood_is_what_is_meant():
    """The properties above would also hold if nothing were ever understood."""
    connection = Connection(conn_id="books", conn_type="talecraft", password=KEY, extra='{"read_timeout": "30"}')
    assert ConnectionSettings.of(connection).read_timeout == 30.0

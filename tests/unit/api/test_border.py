"""Whatever a server answers: a harmless illustration, or a typed error without the key, in bounded time."""

from __future__ import annotations

import html
import json
import os
import time
from urllib.parse import quote, unquote

import jinja2
import pytest
from clients import FOX, KEY, client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from loopback import answering, server
from patience import STUCK

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.border import (
    QUOTE_LIMIT,
    URL_LIMIT,
    contains_key,
    harmless,
    harmless_url,
    label,
    quoted,
    redact,
)
from airflow_provider_talecraft.api.protocol import parse

NASTY = st.sampled_from(
    [
        "{{", "}}", "{%", "%}", "{#", "{{ conn.x.password }}", "{% raw %}", '"', "'", "`", "<script>", "</a>", "&amp;",
        "\x00", "\x1b[31m", "\n", "\u202e", "\u200b", "\ufeff", "\ud800", "..", "/../", "/..", "\\", "%", "%2e", "$(x)",
        KEY, quote(KEY).replace("t", "%74"), "x" * 10_000, "{" * 10_000, "狐", "https://host/", "?", "#", "@", ":",
    ]
)  # fmt: skip
texts = st.lists(NASTY | st.text(max_size=5), max_size=8).map("".join)
urls = st.builds("https://host/{}".format, texts) | st.builds("https://{}/x".format, texts) | texts
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
data = st.fixed_dictionaries({"image_url": urls}, optional={"id": texts | values, "status": texts | values})
envelopes = st.fixed_dictionaries(
    {"code": st.sampled_from([0, 0, -1, "0", "-1", 7]) | values},
    optional={"message": texts | values, "data": data | values, "prompt": texts},
)
bodies = st.binary() | texts.map(lambda text: text.encode(errors="surrogatepass")) | (envelopes | values).map(
    lambda value: json.dumps(value).encode()
)  # fmt: skip
headers = st.none() | texts | st.sampled_from(["7", "1.5", "-1", "Wed, 21 Oct 2026 07:28:00 +9999999", "9" * 5000])


def check(read):
    """Call *read*, and look at what comes of it."""
    started = time.monotonic()
    try:
        illustration = read()
    except errors.TaleCraftError as error:
        text = str(error)
        assert error.outcome in {"refused", "unknown"}
        assert KEY not in text
        assert text.isprintable(), "a log line, without a control, a direction or a width of nothing"
        assert jinja2.Template(text, keep_trailing_newline=True).render() == text
        assert "<" not in text
        assert len(text) < 1500
        assert error.retry_after is None or 0 <= error.retry_after < 1e12
    else:
        for field in (illustration.id, illustration.status, illustration.image_url):
            check_harmless(field)
    assert time.monotonic() - started < STUCK


def check_harmless(field):
    assert jinja2.Template(field, keep_trailing_newline=True).render() == field
    assert html.escape(field, quote=True).replace("&amp;", "&") == field
    assert field == "" or (field.isascii() and field.isprintable())
    assert KEY not in unquote(field)
    for name in (field, field.rsplit("/", 1)[-1], field.partition("?")[0].rsplit("/", 1)[-1]):
        assert os.path.normpath(os.path.join("/books", name)).startswith("/books")  # noqa: PTH118  # as text
        assert name not in {".", ".."}


def with_data(**fields):
    return json.dumps({"code": 0, "data": {"image_url": "https://host/x.jpeg", **fields}}).encode()


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(status=st.integers(200, 999) | st.sampled_from([200, 403, 429, 503, 521]), header=headers, body=bodies)
@example(status=200, header=None, body=with_data(image_url="https://host/{{ conn.x.password }}"))
@example(status=200, header=None, body=with_data(image_url="https://host/../../.."))
@example(status=200, header=None, body=with_data(image_url="https://host/x?y=/.."))
@example(status=200, header=None, body=with_data(id="\x00".join(KEY), status=f"-{KEY}"))
@example(status=200, header=None, body=with_data(image_url=f"https://host/{quote(KEY).replace('t', '%74')}"))
@example(
    status=403, header="Wed, 21 Oct 2026 07:28:00 +9999999999999999999", body=b"{{ x }}{% raw %}{# \xe2\x80\xae<script>"
)
@example(status=200, header=None, body=json.dumps({"code": -1, "message": "{" * 3000 + "%" + KEY}).encode())
@example(status=200, header=None, body=b"[" * 2**20)
@example(status=200, header=None, body=json.dumps({"code": -1, "message": "concurrent " * 90_000}).encode())
@example(status=200, header=None, body=with_data(image_url="https://" + "a" * 10**6))
@example(status=200, header=None, body=b'{"code": ' + b"9" * 10**6 + b"}")
@example(status=200, header=None, body=b'{"code": ' + b"9" * 400 + b"}")
def test_any_answer_is_harmless_or_a_typed_error_without_the_key(status, header, body):
    check(lambda: parse(status, body, retry_after=header, secret=KEY))


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + with_data(id="{{x}}", image_url="https://host/{{ x }}<script>"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + with_data(),
        b"HTTP/1.1 403 {{ x }}\r\nRetry-After: soon\r\n\r\n<script>{{ x }}" + KEY.encode(),
        b"HTTP/1.1 503 x\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 +9999999\r\n\r\n",
        b"HTTP/1.1 {{ x }}\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{{ " + KEY.encode() + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: {{ " + KEY.encode() + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n{{ x }}" + KEY.encode(),
        b"HTTP/1.1 200 OK\r\n{{ " + KEY.encode() + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        KEY.encode() + b" {% raw %}\x1b[31m\r\n\r\n",
        b"\x00" * 100,
        b"",
    ],
    ids=lambda raw: repr(raw[:30]),
)
def test_the_same_holds_over_a_socket(raw):
    with server(answering(raw)) as (port, _):
        check(lambda: client(f"http://127.0.0.1:{port}", api_key=KEY).generate(FOX))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  two\n lines\t", "two lines"), ("x" * QUOTE_LIMIT, "x" * QUOTE_LIMIT), ("x" * 301, "x" * 300 + "…"),
        ("{{ x }} {% y %} {# z #} {a}", "{ { x }} { % y %} { # z #} {a}"), ("<b>", "\u2039b\u203a"),
        ("a\u200bb\x00", "a\ufffdb\ufffd"),
        ("{{{", "{ { {"), (f"the key {KEY}", "the key ***"), (KEY + "x" * 400, "***" + "x" * 297 + "…"),
    ],
)  # fmt: skip
def test_what_is_quoted_is_one_printable_line_and_no_markup(text, shown):
    assert harmless(text, KEY) == shown
    assert quoted(text, KEY) == repr(shown)


def test_without_a_key_nothing_is_blotted_out():
    assert redact("abc", "") == "abc"
    assert redact("abcabc", "b") == "a***ca***c"


@pytest.mark.parametrize(
    ("text", "secret", "found"),
    [
        ("https://host/12345678", "12345678", True), ("https://host/1234567", "1234567", False),
        ("https://host/%31%32345678", "12345678", True), ("https://host/", "12345678", False), ("x", "", False),
    ],
)  # fmt: skip
def test_a_key_that_is_long_enough_is_found_however_it_is_spelled(text, secret, found):
    assert contains_key(text, secret) is found


@pytest.mark.parametrize(
    ("value", "kept"), [("a\x00" + KEY, ""), (f"{KEY[:5]} {KEY[5:]}", ""), (KEY[:-1], KEY[:-1]), (7, "")]
)
def test_a_label_has_no_key_in_it_either(value, kept):
    assert label(value, KEY) == kept


def test_a_url_may_be_as_long_as_everybody_supports():
    longest = "https://host/" + "x" * (URL_LIMIT - 13)
    assert harmless_url(longest) == longest
    assert harmless_url(longest + "x") == ""
    assert harmless_url(longest[:-1] + "狐") == ""
    assert harmless_url(longest[:-9] + "狐") == longest[:-9] + "%E7%8B%90"


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://h/../x", "https://h/%2E%2E/x"), ("https://h/./x/.", "https://h/%2E/x/%2E"),
        ("https://h/x/..?a=..", "https://h/x/%2E%2E?a=.."), ("https://h/x?..", "https://h/x?%2E%2E"),
        ("https://h/...", "https://h/..."), ("https://h/a..b", "https://h/a..b"), ("https://h#..", "https://h#%2E%2E"),
        ("https://user:p w@h/x", "https://user:p%20w@h/x"), ("https://h:443/x", "https://h:443/x"),
        ("https://h/%2e%2E/%g1", "https://h/%2e%2E/%25g1"), ("https://h_1.~x/", "https://h_1.~x/"),
    ],
)  # fmt: skip
def test_dots_between_slashes_are_no_way_up(url, taken):
    assert harmless_url(url) == taken

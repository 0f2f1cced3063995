"""Where the API key may be sent."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft.api.address import DEFAULT_BASE_URL, base_url, without_query
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        (None, None, DEFAULT_BASE_URL),
        ("  ", 0, DEFAULT_BASE_URL),
        ("https://talescaleai.com/", None, "https://talescaleai.com"),
        ("HTTPS://TaleScaleAI.com", 8443, "https://talescaleai.com:8443"),
        ("https://talescaleai.com:8443", 8443, "https://talescaleai.com:8443"),
        ("http://127.0.0.1", 8765, "http://127.0.0.1:8765"),
        ("http://127.9.9.9:1", None, "http://127.9.9.9:1"),
        ("http://localhost:8765", None, "http://localhost:8765"),
        ("http://[::1]", 8765, "http://[::1]:8765"),
        (" https://host ", 0, "https://host"),
        ("https://host:0", 8443, "https://host:8443"),
        ("https://host", 1, "https://host:1"),
        ("https://host", 65535, "https://host:65535"),
    ],
)
def test_scheme_host_and_port_are_as_given(host, port, expected):
    assert base_url(host, port) == expected


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        ("talescaleai.com", None, "no scheme"),
        ("127.0.0.1:8765", None, "no scheme"),
        ("ftp://talescaleai.com", None, "no scheme"),
        ("https:talescaleai.com", None, "no scheme"),
        ("https://:443", None, "no name"),
        ("https://host", -1, "The port -1 is none"),
        (None, 65536, "The port 65536 is none"),
        ("https://tale scale.com", None, "no name"),
        ("https://user:secret@talescaleai.com", None, "user or a password"),
        ("https://host\u200b.com", None, "no name"),
        ("https://talescaleai.com#secret", None, "more than scheme, host and port"),
        ("https://talescaleai.com/X", None, "more than scheme, host and port"),
        ("https://talescaleai.com/api/v1/generate", None, "more than scheme, host and port"),
        ("https://talescaleai.com?key=secret", None, "more than scheme, host and port"),
        ("https://talescaleai.com:secret", None, "not a URL"),
        ("https://secret\N{CARE OF}", None, "not a URL"),
        ("https://talescaleai..com", None, "not a URL"),
        (f"https://{'secret' * 11}.com", None, "not a URL"),
        ("https://talescaleai.com:70000", None, "not a URL"),
        ("https://[::1", None, "not a URL"),
        ("https://talescaleai.com:1", 2, "names port 1 and the port field 2"),
        ("http://talescaleai.com", None, "plain http"),
        ("http://localhost.example.com", None, "plain http"),
        ("http://127.0.0.1.example.com", None, "plain http"),
        ("http://10.0.0.1", None, "plain http"),
    ],
)
def test_a_wrong_host_is_explained_and_never_quoted(host, port, says):
    with pytest.raises(TaleCraftInvalidRequestError, match="nothing was sent") as caught:
        base_url(host, port)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_plain_http_to_another_machine_needs_to_be_allowed():
    assert base_url("http://sandbox", 8765, allow_http=True) == "http://sandbox:8765"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://host/x.jpeg?X-Amz-Signature=s3cret#top", "https://host/x.jpeg"),
        ("HTTP://me:s3cret@host:8443/x", "http://host:8443/x"),
        (" https://me:s3cret@host/x?y ", "https://host/x"),
        ("https://[::1]:8765/x", "https://[::1]:8765/x"),
        ("https://[nonsense/x?s3cret#s3cret", "https://[nonsense/x"),
        ("https://[nonsense/x#s3cret?s3cret", "https://[nonsense/x"),
        ("A fox? http it is", "A fox? http it is"),
        (" s3://bucket/x?y ", " s3://bucket/x?y "),
        ("https:/host?x", "https:/host?x"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_signature_or_a_password(text, shown):
    assert without_query(text) == shown

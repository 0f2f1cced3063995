"""What is fetched is a whole picture of a known type, or an error that names it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io

import pytest
from loopback import answering, read_head, server

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.transfers.picture import fetch

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 500
JPEG = b"\xff\xd8\xff\xe0" + b"j" * 500
WEBP = b"RIFF\xf4\x01\x00\x00WEBPVP8 " + b"w" * 500


def serving(body, *, status="200 OK", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return answering("\r\n".join(lines).encode() + body)


def fetched(handle, *, max_bytes=10_000, path="/x.jpeg"):
    into = io.BytesIO()
    with server(handle) as (port, _):
        picture = fetch(f"http://127.0.0.1:{port}{path}", into, max_bytes=max_bytes)
    return picture, into.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type", "extension"),
    [(PNG, "image/png", ".png"), (JPEG, "image/jpeg", ".jpeg"), (WEBP, "image/webp", ".webp")],
)
@pytest.mark.parametrize("header", ["image/jpeg", "text/html", "application/octet-stream"])
def test_the_type_is_by_the_bytes_whatever_the_url_or_a_header_says(body, content_type, extension, header):
    picture, received = fetched(serving(body, headers=[f"Content-Type: {header}"]), path="/x.gif")
    assert (picture.content_type, picture.extension) == (content_type, extension)
    assert received == body
    assert (picture.size, picture.sha256) == (len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xd8", b"<html>\xff\xd8\xff</html>", b"GIF89a" + b"g" * 50, b"RIFF\x00\x00\x00\x00WAVE", b"%PDF-1.7"],
)
def test_anything_else_is_not_a_picture(body):
    with pytest.raises(TaleCraftDownloadError, match="not a PNG, JPEG or WebP"):
        fetched(serving(body, headers=["Content-Type: image/jpeg"]))


def test_a_picture_may_have_exactly_the_limit():
    assert fetched(serving(PNG), max_bytes=len(PNG))[0].size == len(PNG)


def test_a_larger_announced_size_is_refused_before_the_body():
    with pytest.raises(TaleCraftDownloadError, match="larger than max_bytes"):
        fetched(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n"))


def test_bytes_are_counted_as_they_come_when_no_size_is_announced():
    def endless(connection):
        read_head(connection)
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + PNG)
            for _ in range(1000):
                connection.sendall(b"x" * 65536)

    with pytest.raises(TaleCraftDownloadError, match="larger than max_bytes"):
        fetched(endless)


def test_a_content_encoding_is_refused_since_it_could_unpack_to_anything():
    with pytest.raises(TaleCraftDownloadError, match="content encoding"):
        fetched(serving(gzip.compress(PNG), headers=["Content-Encoding: gzip"]))


def test_a_picture_that_ends_early_is_an_error():
    with pytest.raises(TaleCraftDownloadError, match="could not be fetched"):
        fetched(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + PNG[:100]))


@pytest.mark.parametrize(
    "status", ["404 Not Found", "403 Forbidden", "500 Oops", "204 No Content", "206 Partial Content"]
)
def test_any_other_status_is_named(status):
    with pytest.raises(TaleCraftDownloadError, match=f"HTTP {status[:3]}") as caught:
        fetched(serving(PNG, status=status))
    assert caught.value.status_code == int(status[:3])


def test_a_redirect_is_not_followed():
    with server(read_head) as (elsewhere, seen):
        with pytest.raises(TaleCraftDownloadError, match="HTTP 302"):
            fetched(serving(PNG, status="302 Found", headers=[f"Location: http://127.0.0.1:{elsewhere}/"]))
        assert not seen


def test_the_request_carries_no_key_no_cookie_and_asks_for_no_encoding(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password elses\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heads = []

    def handle(connection):
        heads.append(read_head(connection).lower())
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG)

    fetched(handle)
    assert "accept-encoding: identity" in heads[0]
    for name in ("x-api-key", "cookie", "authorization"):
        assert name not in heads[0]


@pytest.mark.parametrize(
    "url",
    ["", "None", "ftp://host/x.png", "file:///etc/passwd", "https://", "https://user:secret@host/x.png",
     "https://host:0/x.png", "https://host:99999/x.png", "https://[::1/x.png", "https://host/x\n.png"],
)  # fmt: skip
def test_what_is_no_url_of_a_picture_is_said_without_a_request(url):
    with pytest.raises(TaleCraftDownloadError, match="not an http") as caught:
        fetch(url, io.BytesIO(), max_bytes=1000)
    assert "secret" not in str(caught.value)


def test_a_query_is_not_shown_since_it_may_be_a_signature():
    with pytest.raises(TaleCraftDownloadError) as caught:
        fetched(serving(b"no picture"), path="/x.png?signature=secret")
    assert "/x.png" in str(caught.value)
    assert "secret" not in str(caught.value)

"""Whom a fetch asks, what it sends, what it repeats. What hostile servers try is in test_hostile_answers.py."""

from __future__ import annotations

import hashlib
import io
import socket
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests
from loopback import drip, read_head, resolving, server, tls_server
from patience import STUCK
from pictures import picture

from airflow_provider_talecraft.api.deadline import Deadline
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError, TaleCraftInvalidRequestError
from airflow_provider_talecraft.pictures import addresses, fetching
from airflow_provider_talecraft.pictures.fetching import ATTEMPTS, fetch, without_query

JPEG = picture()
LOOPBACK = ("127.0.0.1",)


def serving(body, *, status="200 OK", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return answering_get("\r\n".join(lines).encode() + body)


def answering_get(raw):
    def handle(connection):
        read_head(connection)
        connection.sendall(raw)

    return handle


def in_turn(answers):
    """Handle every connection in another way."""

    def handle(connection):
        next(answers)(connection)

    return handle


def fetched(handle, *, path="/x.jpeg", times=1, **options):
    into = io.BytesIO()
    with server(handle, times=times) as (port, seen):
        result = fetch(f"http://127.0.0.1:{port}{path}", into, **{"max_bytes": 100_000, "trusted": LOOPBACK, **options})
    return result, into.getvalue(), len(seen)


@pytest.fixture(autouse=True)
def _no_wait_between_attempts(monkeypatch):
    monkeypatch.setattr(fetching, "_backoff", lambda _: 0)


def test_what_is_served_is_written_and_measured():
    result, received, _ = fetched(serving(JPEG))
    assert received == JPEG
    assert (result.size, result.sha256) == (len(JPEG), hashlib.sha256(JPEG).hexdigest())


def test_a_picture_may_have_exactly_the_limit():
    limit = len(JPEG) - 1
    assert fetched(serving(JPEG), max_bytes=len(JPEG))[0].size == len(JPEG)
    with pytest.raises(TaleCraftDownloadError, match=rf"at http://127.*/x\.jpeg is larger than max_bytes \({limit}\)"):
        fetched(serving(JPEG), max_bytes=limit)


def test_a_picture_that_is_announced_as_too_large_is_not_read():
    with pytest.raises(TaleCraftDownloadError, match="larger than max_bytes"):
        fetched(answering_get(b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"))


def test_a_picture_of_unknown_length_has_the_limit_too_and_is_read_in_pieces():
    endless = answering_get(b"HTTP/1.1 200 OK\r\n\r\n" + JPEG)
    with pytest.raises(TaleCraftDownloadError, match=rf"/x\.jpeg is larger than max_bytes \({len(JPEG) - 1}\)"):
        fetched(endless, max_bytes=len(JPEG) - 1)
    asked = []
    response = SimpleNamespace(iter_content=lambda size: asked.append(size) or [b"fo", b"x"])
    assert fetching._receive(response, io.BytesIO(), "there", 3).size == 3
    assert asked == [64 * 1024]


def test_where_nobody_listens_the_error_is_of_the_connection_and_not_of_the_name(monkeypatch, loopback_is_public):
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    _several(monkeypatch, ["127.0.0.1", "127.0.0.9"])
    with pytest.raises(
        TaleCraftDownloadError, match=r"at https://pictures\.test:\d+/x\.png could not be fetched \(ConnectionError"
    ):
        fetch(f"https://pictures.test:{port}/x.png", io.BytesIO(), max_bytes=9)


def test_an_address_that_is_not_public_is_named_with_the_picture():
    with pytest.raises(
        TaleCraftDownloadError, match=r"^The host of https://10.0.0.1/x.png has the address 10\.0\.0\.1"
    ):
        fetch("https://10.0.0.1/x.png?s3cret", io.BytesIO(), max_bytes=9)
    with pytest.raises(requests.RequestException, match=r"^168\.63\.129\.16$"):
        addresses._public("168.63.129.16", 443, allow_loopback=False)


def test_a_backslash_makes_no_url():
    with pytest.raises(TaleCraftDownloadError, match="is not an http"):
        without_query("https://host/a\\b.png")


def test_a_server_that_asks_for_more_time_than_there_is_is_not_asked_again():
    asked = []

    def handle(connection):
        asked.append(1)
        serving(b"", status="503 Away", headers=["Retry-After: 60"])(connection)

    with pytest.raises(TaleCraftDownloadError, match="HTTP 503"):
        fetched(handle, times=2, deadline=3)
    assert asked == [1]


def test_a_wait_between_two_attempts_ends_with_the_time(monkeypatch):
    monkeypatch.setattr(fetching, "_backoff", lambda _: 120)
    started = time.monotonic()
    with pytest.raises(TaleCraftDownloadError):
        fetched(serving(b"", status="503 Away"), times=2, deadline=0.5)
    assert time.monotonic() - started < STUCK


def test_a_server_that_says_nothing_is_given_up_at_the_read_timeout(monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUTS", (5.0, 0.2))
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    started = time.monotonic()
    with pytest.raises(TaleCraftDownloadError, match="could not be fetched"):
        fetched(lambda connection: read_head(connection) and connection.recv(1), deadline=120)
    assert time.monotonic() - started < STUCK


def test_a_path_is_asked_for_as_it_is_and_of_a_proxy_the_whole_url(monkeypatch):
    request = requests.Request("GET", "http://host//a/x.png").prepare()
    adapter = addresses.Watched(Deadline())
    assert adapter.request_url(request, {}) == "//a/x.png"
    assert adapter.request_url(request, {"http": "http://proxy:3128"}) == "http://host//a/x.png"
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "request_url", lambda *_: "/a/x.png")  # as requests 2.32 does
    assert adapter.request_url(request, {}) == "//a/x.png"


def test_the_request_carries_no_key_no_cookie_and_asks_for_no_encoding(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password elses\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heads = []

    def handle(connection):
        heads.append(read_head(connection).lower())
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(JPEG) + JPEG)

    fetched(handle)
    assert "accept-encoding: identity" in heads[0]
    assert "user-agent: airflow-provider-talecraft/" in heads[0]
    for name in ("x-api-key", "cookie", "authorization"):
        assert name not in heads[0]


@pytest.mark.parametrize(
    "status",
    [
        "500 Oops",
        "502 Bad Gateway",
        "503 Busy",
        "429 Slow down",
        "408 Timeout",
        "403 Forbidden",
        "404 Not Found",
        *(f"{status} Edge" for status in range(520, 531)),
    ],
)
def test_a_status_that_passes_is_asked_again_since_it_costs_nothing(status):
    answers = iter([serving(b"", status=status), serving(b"", status=status), serving(JPEG)])
    _, received, asked = fetched(in_turn(answers), times=3)
    assert (received, asked) == (JPEG, 3)


def test_a_connection_that_breaks_in_the_middle_is_asked_again_from_the_start():
    broken = answering_get(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(JPEG) + JPEG[:300])
    answers = iter([broken, serving(JPEG)])
    _, received, asked = fetched(in_turn(answers), times=2)
    assert (received, asked) == (JPEG, 2)


def test_it_gives_up_after_a_few_attempts_and_names_the_status():
    with server(serving(b"", status="503 Busy"), times=99) as (port, seen):
        with pytest.raises(TaleCraftDownloadError, match="HTTP 503") as caught:
            fetch(f"http://127.0.0.1:{port}/x", io.BytesIO(), max_bytes=9, trusted=LOOPBACK)
    assert caught.value.status_code == 503
    assert len(seen) == ATTEMPTS


@pytest.mark.parametrize("status", ["410 Gone", "401 Unauthorized", "204 No Content", "206 Partial Content"])
def test_a_status_that_stays_is_named_at_once(status):
    with server(serving(JPEG, status=status), times=9) as (port, seen):
        with pytest.raises(TaleCraftDownloadError, match=f"HTTP {status[:3]}") as caught:
            fetch(f"http://127.0.0.1:{port}/x", io.BytesIO(), max_bytes=9, trusted=LOOPBACK)
    assert caught.value.status_code == int(status[:3])
    assert len(seen) == 1


@pytest.mark.parametrize(
    "url",
    ["", "None", "ftp://host/x.png", "file:///etc/passwd", "https://", "https://user:secret@host/x.png",
     "https://host:0/x.png", "https://host:99999/x.png", "https://[::1/x.png", "https://host/x\n.png",
     "https://host\\@127.0.0.1/x.png", "//host/x.png", "data:image/png;base64,AAAA"],
)  # fmt: skip
def test_what_is_no_url_of_a_picture_is_said_without_a_request(url):
    with pytest.raises(TaleCraftDownloadError, match="not an http") as caught:
        fetch(url, io.BytesIO(), max_bytes=1000)
    assert "secret" not in str(caught.value)


def test_a_query_is_not_shown_since_it_may_be_a_signature():
    with pytest.raises(TaleCraftDownloadError) as caught:
        fetched(serving(b"", status="404 Not Found"), path="/x.png?signature=secret", times=9)
    assert "/x.png" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert without_query("https://host/a?b#c") == "https://host/a"


# Whom it asks


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.8.9.10", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "0.0.0.0", "0",
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.0.1", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "[::]", "[::1]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]",
        "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        "[64:ff9b::a00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b::a83f:8110]", "[64:ff9b:1::808:808]", "[2002:808:808::]",
        "[2001:0:808:808::]", "[::808:808]",
        # Cloud metadata: AWS, GCP and Azure; AWS over IPv6; Alibaba; Oracle; Azure's WireServer.
        "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "168.63.129.16",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_not_asked(host):
    with pytest.raises(TaleCraftDownloadError, match="not a public one"):
        fetch(f"https://{host}/x.png", io.BytesIO(), max_bytes=9)


@pytest.mark.parametrize("trusted", [(), ("example.com",), ("127.0.0.1:1",)])
def test_plain_http_is_for_trusted_hosts_only(trusted):
    with server(serving(JPEG)) as (port, seen):
        with pytest.raises(TaleCraftDownloadError, match="not fetched over plain http"):
            fetch(f"http://127.0.0.1:{port}/x.png", io.BytesIO(), max_bytes=9, trusted=trusted)
        assert not seen


@pytest.mark.parametrize("by_port", [True, False])
def test_a_trusted_host_may_be_named_with_or_without_its_port(by_port):
    into = io.BytesIO()
    with server(serving(JPEG)) as (port, _):
        host = f"127.0.0.1:{port}" if by_port else "127.0.0.1"
        fetch(f"http://127.0.0.1:{port}/x.png", into, max_bytes=10_000, trusted=(host,))
    assert into.getvalue() == JPEG


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["192.0.2.7", "127.0.0.1"]])
def test_a_name_that_leads_inside_is_not_asked(monkeypatch, addresses):
    asked = resolving(monkeypatch, {"pictures.test": addresses})
    with server(serving(JPEG)) as (port, seen):
        with pytest.raises(TaleCraftDownloadError, match="not a public one"):
            fetch(f"https://pictures.test:{port}/x.png", io.BytesIO(), max_bytes=9)
        assert not seen
    assert asked == ["pictures.test"]  # and not looked up again


def test_a_name_that_resolves_differently_the_second_time_gets_nowhere(monkeypatch):
    """The first lookup gives a public address: that very address is asked, whatever the name says by then."""
    monkeypatch.setattr(fetching, "TIMEOUTS", (0.2, 0.2))
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    asked = resolving(monkeypatch, {"pictures.test": ["1.1.1.1", "127.0.0.1"]})
    with server(serving(JPEG)) as (port, seen):
        with pytest.raises(TaleCraftDownloadError, match="could not be fetched"):
            fetch(f"https://pictures.test:{port}/x.png", io.BytesIO(), max_bytes=9)
        assert not seen
    assert asked == ["pictures.test"]


@pytest.fixture
def loopback_is_public(monkeypatch):
    """Loopback passes for a public address, in a test whose only servers are there."""
    monkeypatch.setattr(addresses.PublicOnly, "allow_loopback", True)


@pytest.mark.parametrize(("certified", "fine"), [("pictures.test", True), ("other.test", False)])
def test_the_certificate_must_be_the_names_though_an_address_is_connected_to(monkeypatch, tmp_path, certified, fine):
    monkeypatch.setattr(addresses.PublicOnly, "allow_loopback", True)
    resolving(monkeypatch, {"pictures.test": ["127.0.0.1"]})
    into = io.BytesIO()
    with tls_server(certified, tmp_path, monkeypatch, serving(JPEG)) as port:
        if fine:
            fetch(f"https://pictures.test:{port}/x.png", into, max_bytes=10_000)
            assert into.getvalue() == JPEG
        else:
            with pytest.raises(TaleCraftDownloadError, match=r"at https://pictures\.test:\d+/x\.png .*SSLError"):
                fetch(f"https://pictures.test:{port}/x.png", into, max_bytes=10_000)


def test_a_server_with_many_names_is_told_which_one_is_meant(monkeypatch, tmp_path, loopback_is_public):
    resolving(monkeypatch, {"pictures.test": ["127.0.0.1"]})
    names, heads = [], []

    def handle(connection):
        heads.append(read_head(connection).lower())
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(JPEG) + JPEG)

    with tls_server("pictures.test", tmp_path, monkeypatch, handle, names) as port:
        fetch(f"https://pictures.test:{port}/x.png", io.BytesIO(), max_bytes=10_000)
    assert names == ["pictures.test"]
    assert f"\r\nhost: pictures.test:{port}\r\n" in heads[0]


def test_when_the_time_is_over_no_other_address_is_tried(monkeypatch, loopback_is_public):
    tried = []

    def broken(self, *_, **__):
        tried.append(self._address)
        raise requests.ConnectionError

    _several(monkeypatch, ["127.0.0.1", "127.0.0.9"])
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", broken)
    request = requests.Request("GET", "https://pictures.test/x.png").prepare()
    for passed, expected in ((False, ["127.0.0.1", "127.0.0.9"]), (True, ["127.0.0.1"])):
        deadline = Deadline()
        deadline.passed = passed
        tried.clear()
        with pytest.raises(requests.ConnectionError):
            addresses.PublicOnly(deadline).send(request)
        assert tried == expected


def test_an_old_spelling_of_ipv4_is_refused_where_loopback_passes_too():
    with pytest.raises(requests.RequestException):
        addresses._public("::808:808", 443, allow_loopback=True)


def test_a_trusted_host_is_not_trusted_without_its_certificate(monkeypatch, tmp_path):
    with tls_server("other.test", tmp_path, monkeypatch, serving(JPEG)) as port:
        with pytest.raises(TaleCraftDownloadError, match="SSLError"):
            fetch(f"https://127.0.0.1:{port}/x.png", io.BytesIO(), max_bytes=10_000, trusted=LOOPBACK)


def test_the_next_address_is_tried_when_nothing_listens_at_the_first(monkeypatch, tmp_path, loopback_is_public):
    into = io.BytesIO()
    with tls_server("pictures.test", tmp_path, monkeypatch, serving(JPEG)) as port:
        _several(monkeypatch, ["::1", "127.0.0.9", "10.0.0.1", "127.0.0.1"])
        fetch(f"https://pictures.test:{port}/x.png", into, max_bytes=10_000)
    assert into.getvalue() == JPEG


def test_an_inner_address_beside_a_public_one_is_never_connected_to(monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUTS", (0.2, 0.2))
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    with server(serving(JPEG)) as (port, seen):
        _several(monkeypatch, ["127.0.0.1", "1.1.1.1", "::1"])
        with pytest.raises(TaleCraftDownloadError, match="could not be fetched"):
            fetch(f"https://pictures.test:{port}/x.png", io.BytesIO(), max_bytes=9)
        assert not seen


def _several(monkeypatch, found):
    """Answer every lookup of pictures.test with all of *found*."""
    system = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if host != "pictures.test":
            return system(host, port, *args, **kwargs)
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("address", "asked"),
    [("64:ff9b::808:808", "[64:ff9b::808:808]"), ("::ffff:8.8.8.8", "8.8.8.8"), ("2606:4700::1", "[2606:4700::1]")],
)
def test_a_public_address_passes_in_every_spelling(address, asked):
    assert addresses._public(address, 443, allow_loopback=False) == asked


@pytest.mark.parametrize("trusted", [(), ("no.such.host.invalid",)])
def test_a_name_that_is_not_known_here_is_told_with_dns_the_proxy_and_image_hosts(trusted):
    with pytest.raises(
        TaleCraftDownloadError, match=r"at https://no\.such\.host\.invalid/x\.png .*DNS.*proxy.*image_hosts"
    ):
        fetch("https://no.such.host.invalid/x.png", io.BytesIO(), max_bytes=9, trusted=trusted)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_bundle_that_cannot_be_read_is_the_error_that_generating_gives(monkeypatch, tmp_path, content):
    if content:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with pytest.raises(TaleCraftInvalidRequestError, match="REQUESTS_CA_BUNDLE"):
        fetch("https://1.1.1.1/x.png", io.BytesIO(), max_bytes=9)


# What it asks for


@pytest.mark.parametrize(
    "path",
    [
        "//books//fox.jpeg",
        "///x",
        "/x?a=%2F%2b+b&c==&X-Amz-Signature=0f%3D",
        "/x?",
        "/a%20b%2Fc.png",
        "//x?u=http://h/",
    ],
)
def test_a_path_is_asked_for_as_it_is(path):
    lines = []

    def handle(connection):
        lines.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(JPEG) + JPEG)

    fetched(handle, path=path)
    assert lines[0].splitlines()[0].casefold() == f"GET {path.removesuffix('?')} HTTP/1.1".casefold()
    assert "accept: image/png, image/jpeg, image/webp;q=0.9\r\n" in lines[0].lower()


@pytest.mark.parametrize("encoding", ["", "identity", "aws-chunked", "base64", "AWS-Chunked, identity"])
def test_an_encoding_that_was_only_noted_changes_nothing(encoding):
    assert fetched(serving(JPEG, headers=[f"Content-Encoding: {encoding}"]))[1] == JPEG


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "aws-chunked, gzip", "unheard-of"])
def test_a_compression_is_refused(encoding):
    with pytest.raises(TaleCraftDownloadError, match="content encoding"):
        fetched(serving(JPEG, headers=[f"Content-Encoding: {encoding}"]))


@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
def test_retry_after_is_waited_out_within_the_time_and_not_beyond_it(status):
    busy = serving(b"", status=status, headers=["Retry-After: 1"])
    started = time.monotonic()
    assert fetched(in_turn(iter([busy, serving(JPEG)])), times=2)[1] == JPEG
    assert time.monotonic() - started >= 1
    late = serving(b"", status=status, headers=["Retry-After: 120"])
    with pytest.raises(TaleCraftDownloadError, match=f"HTTP {status[:3]}") as caught:
        fetched(late, deadline=100)
    assert caught.value.retry_after == 120
    assert time.monotonic() - started < STUCK


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 1000.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Time()
    monkeypatch.setattr(fetching, "time", clock)
    return clock


def test_the_longer_of_two_waits_counts_the_own_one_and_that_which_is_asked_for(monkeypatch, clock):
    monkeypatch.setattr(fetching, "_backoff", lambda state: 2.5 * state.attempt_number)
    busy = [serving(b"", status="503 Busy", headers=[f"Retry-After: {seconds}"]) for seconds in (9, 1, 0)]
    assert fetched(in_turn(iter([*busy, serving(JPEG)])), times=4)[1] == JPEG
    assert clock.slept == [9, 5, 7.5]


def test_no_wait_is_longer_than_the_time_that_is_left(monkeypatch, clock):
    monkeypatch.setattr(fetching, "_backoff", lambda _: 30)
    with pytest.raises(TaleCraftDownloadError):
        fetched(serving(b"", status="503 Busy"), times=2, deadline=0.5)
    assert clock.slept == [0.5]


def test_a_server_that_asks_for_exactly_the_time_that_is_left_is_not_asked_again(clock):
    with pytest.raises(TaleCraftDownloadError, match="HTTP 503"):
        fetched(serving(b"", status="503 Busy", headers=["Retry-After: 60"]), times=2, deadline=60)
    assert clock.slept == []


def test_a_redirect_is_not_followed():
    with server(serving(JPEG)) as (port, seen):
        found = serving(b"", status="302 Found", headers=[f"Location: http://127.0.0.1:{port}/x.jpeg"])
        with pytest.raises(TaleCraftDownloadError, match="HTTP 302"):
            fetched(found)
        assert not seen


def test_an_error_without_arguments_is_not_of_the_name():
    assert not fetching._is_unresolved(requests.ConnectionError())


# Through a proxy


@pytest.fixture
def proxied(monkeypatch):
    """A proxy in the environment; yields what it is asked."""
    asked = []

    def handle(connection):
        asked.append(read_head(connection).splitlines()[0])
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    with server(handle, times=9) as (port, _):
        for name in ("NO_PROXY", "no_proxy", "https_proxy", "http_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        yield asked


def test_a_proxy_is_asked_for_the_very_address_that_was_checked(monkeypatch, proxied):
    resolving(monkeypatch, {"pictures.test": ["1.1.1.1", "127.0.0.1"]})
    with pytest.raises(TaleCraftDownloadError, match="could not be fetched"):
        fetch("https://pictures.test/x.png", io.BytesIO(), max_bytes=9)
    assert [line.split()[:2] for line in proxied] == [["CONNECT", "1.1.1.1:443"]]


def test_a_proxy_is_not_asked_for_an_address_that_is_not_public(monkeypatch, proxied):
    resolving(monkeypatch, {"pictures.test": ["10.0.0.1"]})
    with pytest.raises(TaleCraftDownloadError, match="not a public one"):
        fetch("https://pictures.test/x.png", io.BytesIO(), max_bytes=9)
    assert not proxied


# How long it waits


def dripping(start, drop):
    def handle(connection):
        read_head(connection)
        connection.sendall(start)
        drip(connection, drop)

    return handle


@pytest.mark.parametrize(
    "handle",
    [
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + JPEG[:200], b"x"),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n" + JPEG[:200], b"x"),
        dripping(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-Drip: x\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["body", "body without a length", "header", "headers", "chunks"],
)
def test_a_server_that_drips_cannot_hold_a_slot(handle):
    started = time.monotonic()
    with pytest.raises(TaleCraftDownloadError, match="did not come within the time"):
        fetched(handle, deadline=0.5)
    assert time.monotonic() - started < STUCK


def test_a_server_that_says_nothing_is_given_up_at_the_deadline_though_the_read_timeout_is_longer():
    started = time.monotonic()
    with pytest.raises(TaleCraftDownloadError, match="did not come within the time"):
        fetched(lambda connection: (read_head(connection), connection.recv(1)), deadline=0.3)
    assert time.monotonic() - started < STUCK


def test_a_handshake_that_drips_ends_at_the_deadline(monkeypatch):
    """TLS takes the socket away from whoever opened it: the deadline must have a handle of its own."""

    def handle(connection):
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00")
        drip(connection, b"x")

    started = time.monotonic()
    with server(handle) as (port, _), pytest.raises(TaleCraftDownloadError, match="did not come within"):
        fetch(f"https://127.0.0.1:{port}/", io.BytesIO(), max_bytes=9, trusted=LOOPBACK, deadline=0.5)
    assert time.monotonic() - started < STUCK


def test_a_full_disk_is_not_taken_for_a_bad_connection():
    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    with server(serving(JPEG), times=9) as (port, seen), pytest.raises(OSError, match="No space left"):
        fetch(f"http://127.0.0.1:{port}/x", Full(), max_bytes=10_000, trusted=LOOPBACK)
    assert len(seen) == 1


def test_the_hosts_port_and_scheme_decide_not_the_look_of_the_url():
    assert fetching._is_trusted(urlsplit("https://CDN.test/x"), ("cdn.test",))
    assert fetching._is_trusted(urlsplit("https://cdn.test/x"), ("cdn.test:443",))
    assert fetching._is_trusted(urlsplit("http://[::1]:9/x"), ("[::1]",))
    assert not fetching._is_trusted(urlsplit("https://cdn.test/x"), ("cdn.test:80",))
    assert not fetching._is_trusted(urlsplit("https://cdn.test.evil/x"), ("cdn.test",))

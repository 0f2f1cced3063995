"""Whatever a server answers in a picture's place: its error, and an empty destination."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc

import pytest
from loopback import drip, read_head, resolving, server, tls_server
from pictures import picture, png_that_claims

from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures import fetching
from airflow_provider_talecraft.transfers.illustration_to_object_storage import IllustrationToObjectStorageOperator

JPEG = picture()
LIMIT = 100_000


def answer(body=JPEG, *, status="200 OK", length=None, headers=(), more=b""):
    """Return the bytes of an answer; *length* is what it claims, "" for nothing."""
    claimed = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", *([f"Content-Length: {claimed}"] if claimed != "" else []), *headers, "", ""]
    return "\r\n".join(lines).encode() + body + more


def endless(connection):
    connection.sendall(answer(length=""))
    for _ in range(1000):
        connection.sendall(bytes(65536))


def dripping(connection):
    connection.sendall(answer(JPEG[:100], length=LIMIT))
    drip(connection, b"x")


def endless_chunk_size(connection):
    connection.sendall(answer(b"", length="", headers=["Transfer-Encoding: chunked"]))
    for _ in range(1000):
        connection.sendall(b"1" * 65536)


BOMB = gzip.compress(bytes(50_000_000))
REDIRECTED = "HTTP 302"
NO_PICTURE = "not a PNG, JPEG or WebP"
CUT_SHORT = "does not end as one ends"

#: what the server does: bytes it answers, or a function of the connection; and what the error says
HOSTILE = {
    "redirect to loopback": (answer(status="302 Found", headers=["Location: http://127.0.0.1:{victim}/"]), REDIRECTED),
    "redirect to cloud metadata": (
        answer(status="302 Found", headers=["Location: http://169.254.169.254/latest/meta-data/"]),
        REDIRECTED,
    ),
    "permanent redirect to a file": (
        answer(status="308 Permanent", headers=["Location: file:///etc/passwd"]),
        "HTTP 308",
    ),
    "gzip bomb": (answer(BOMB, headers=["Content-Encoding: gzip"]), "content encoding"),
    "gzip bomb with an image type": (
        answer(BOMB, headers=["Content-Type: image/png", "Content-Encoding: x-gzip"]),
        "content encoding",
    ),
    "gzip bomb that says identity": (answer(BOMB, headers=["Content-Encoding: identity"]), NO_PICTURE),
    "gzip as a transfer coding": (
        answer(BOMB, length="", headers=["Transfer-Encoding: gzip"]),
        NO_PICTURE,
    ),
    "a length that is too small": (answer(length=200), CUT_SHORT),
    "a length that is too large": (answer(length=len(JPEG) + 1), "could not be fetched"),
    "a length beyond the limit": (answer(length=LIMIT + 1), "larger than max_bytes"),
    "a length beyond any number": (answer(length="9" * 400), "could not be fetched|larger than max_bytes"),
    "a length that is none": (answer(length="many"), None),
    "a negative length": (answer(length=-1), None),
    "two lengths": (answer(headers=["Content-Length: 5"]), "could not be fetched"),
    "no length and no end": (endless, "larger than max_bytes"),
    "no length and cut short": (answer(JPEG[:-10], length=""), CUT_SHORT),
    "closed in the middle": (answer(JPEG[:300], length=len(JPEG)), "could not be fetched"),
    "chunks without an end": (
        answer(b"%x\r\n%b\r\n" % (len(JPEG), JPEG), length="", headers=["Transfer-Encoding: chunked"]),
        "could not be fetched",
    ),
    "a chunk that lies": (
        answer(b"fffffff\r\n%b\r\n0\r\n\r\n" % JPEG, length="", headers=["Transfer-Encoding: chunked"]),
        "could not be fetched",
    ),
    # urllib3 kept all of it before 2.8: CVE-2026-97689.
    "a chunk's size without an end": (endless_chunk_size, "could not be fetched"),
    "html with an image type": (answer(b"<html>no</html>", headers=["Content-Type: image/jpeg"]), NO_PICTURE),
    "svg with a script": (answer(b"<svg onload='alert(1)'/>", headers=["Content-Type: image/svg+xml"]), NO_PICTURE),
    "a gif": (answer(b"GIF89a" + bytes(100)), NO_PICTURE),
    "a polyglot of a page and a picture": (answer(b"<!--" + JPEG), NO_PICTURE),
    "a polyglot of a picture and an archive": (answer(JPEG + b"PK\x05\x06" + bytes(18) + b"end"), CUT_SHORT),
    "a polyglot of a picture and a page": (answer(picture("PNG") + b"<script>alert(1)</script>"), CUT_SHORT),
    "100,000 x 100,000 pixels": (answer(png_that_claims(100_000, 100_000)), "claims 100000 x 100000 pixels"),
    "no pixels": (answer(png_that_claims(0, 0)), "no readable size"),
    "slow drip": (dripping, "did not come within the time"),
    "nothing": (b"", "could not be fetched"),
    "nothing but a head": (answer(b""), NO_PICTURE),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "could not be fetched"),
    "a megabyte of headers": (answer(headers=["X: " + "y" * 1_000_000]), "could not be fetched"),
    "ten thousand headers": (answer(headers=["X: y"] * 10_000), "could not be fetched"),
    "an error that is a picture": (answer(status="404 Not Found"), "HTTP 404"),
    "a part of a picture": (answer(status="206 Partial Content"), "HTTP 206"),
    "an error that passes, and stays": (answer(status="503 Busy"), "HTTP 503"),
}


def store(url, dst, **options):
    """Run the operator as a task would, with the loopback host as a trusted one."""
    operator = IllustrationToObjectStorageOperator(
        task_id="store", image_url=url, dst=dst, image_hosts=["127.0.0.1"], max_bytes=LIMIT, **options
    )
    return operator.execute({})


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(fetching, "_backoff", lambda _: 0)
    monkeypatch.setattr(fetching.fetch, "__kwdefaults__", {**fetching.fetch.__kwdefaults__, "deadline": 1.0})


@pytest.fixture(scope="module", autouse=True)
def _filesystems_are_loaded():
    """The first look for a filesystem loads Airflow's providers, whose memory is none of the answer's."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    assert ObjectStoragePath("file:///").fs


@contextlib.contextmanager
def victim():
    """A server that must not be asked."""
    with server(read_head) as (port, seen):
        yield port
        assert not seen


@pytest.mark.parametrize("case", [case for case in HOSTILE if HOSTILE[case][1]])
@pytest.mark.parametrize("folder", [True, False], ids=["folder", "file"])
def test_a_hostile_answer_is_its_error_and_leaves_nothing(tmp_path, case, folder):
    what, message = HOSTILE[case]
    with victim() as victim_port:

        def handle(connection):
            read_head(connection)
            if callable(what):
                what(connection)
            else:
                connection.sendall(what.replace(b"{victim}", str(victim_port).encode()))

        dst = tmp_path / "book"
        tracemalloc.start()
        with server(handle, times=9) as (port, _), pytest.raises(TaleCraftDownloadError, match=message):
            store(f"http://127.0.0.1:{port}/x.jpeg", f"file://{dst}/" if folder else f"file://{dst}")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert not list(tmp_path.iterdir())
    assert peak < 20_000_000, "the bomb unpacks to 50 MB"


@pytest.mark.parametrize("case", [case for case in HOSTILE if HOSTILE[case][1] is None])
def test_a_length_that_says_nothing_is_gone_by_and_the_picture_is_whole(tmp_path, case):
    def handle(connection):
        read_head(connection)
        connection.sendall(HOSTILE[case][0])

    with server(handle) as (port, _):
        store(f"http://127.0.0.1:{port}/x.jpeg", f"file://{tmp_path}/cover.jpeg", write_sidecar=False)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [JPEG]


@pytest.mark.parametrize("case", ["gzip bomb", "closed in the middle", "a polyglot of a picture and a page"])
def test_what_stood_there_before_still_does(tmp_path, case):
    (tmp_path / "cover.jpeg").write_bytes(b"older")

    def handle(connection):
        read_head(connection)
        connection.sendall(HOSTILE[case][0])

    with server(handle, times=9) as (port, _), pytest.raises(TaleCraftDownloadError):
        store(f"http://127.0.0.1:{port}/x.jpeg", f"file://{tmp_path}/cover.jpeg")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("cover.jpeg", b"older")]


def test_a_name_that_leads_elsewhere_the_second_time_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUTS", (0.2, 0.2))
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    resolving(monkeypatch, {"pictures.test": ["1.1.1.1", "127.0.0.1"]})
    with victim() as port, pytest.raises(TaleCraftDownloadError, match=r"could not be fetched|did not come"):
        store(f"https://pictures.test:{port}/x.jpeg", f"file://{tmp_path}/")
    assert not list(tmp_path.iterdir())


def test_a_certificate_for_another_name_leaves_nothing(tmp_path, monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")

    def handle(connection):
        read_head(connection)
        connection.sendall(answer())

    with tls_server("other.test", folder, monkeypatch, handle) as port:
        with pytest.raises(TaleCraftDownloadError, match="SSLError"):
            store(f"https://127.0.0.1:{port}/x.jpeg", f"file://{tmp_path}/")
    assert not list(tmp_path.iterdir())

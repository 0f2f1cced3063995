"""A picture from its URL to a local file, checked on the way. Knows nothing of Airflow or of object stores."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

import requests

from airflow_provider_talecraft.api.environment import ca_bundle, proxies
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError

#: Seconds to connect, and between two reads.
TIMEOUTS = (10, 60)
CHUNK_BYTES = 64 * 1024

#: What a file is by its first bytes: (offset, bytes) that must all be there, content type, extension.
FORMATS: tuple[tuple[tuple[tuple[int, bytes], ...], str, str], ...] = (
    (((0, b"\xff\xd8\xff"),), "image/jpeg", ".jpeg"),
    (((0, b"\x89PNG\r\n\x1a\n"),), "image/png", ".png"),
    (((0, b"RIFF"), (8, b"WEBP")), "image/webp", ".webp"),
)
LONGEST_SIGNATURE = 12


@dataclass(frozen=True)
class Picture:
    """A fetched picture's facts.

    :param content_type: by its bytes, whatever the URL or a header says.
    :param extension: the one that belongs to the content type, with its dot.
    :param size: bytes.
    :param sha256: hex digest of the bytes.
    """

    content_type: str
    extension: str
    size: int
    sha256: str


def fetch(url: str, into: BinaryIO, *, max_bytes: int) -> Picture:
    """Stream the picture at *url* into *into*, in constant memory.

    The session is its own: no API key, no cookies; redirects are not followed, content encodings not accepted.

    :param url: http(s) URL.
    :param into: a binary file to write to; what it holds after an error is of no use.
    :param max_bytes: most bytes that are read.
    :raises TaleCraftDownloadError: if it cannot be fetched, is larger, or is neither PNG, JPEG nor WebP.
    """
    shown = _without_query(url)
    failure = ""
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(
                url,
                headers={"Accept": "image/*", "Accept-Encoding": "identity"},
                timeout=TIMEOUTS,
                proxies=proxies(url),
                verify=ca_bundle(),
                allow_redirects=False,
                stream=True,
            ) as response:
                _check_head(response, shown, max_bytes)
                return _receive(response, into, shown, max_bytes)
    except requests.RequestException as error:
        failure = type(error).__name__
    raise TaleCraftDownloadError(f"The picture at {shown} could not be fetched ({failure}). Fetching again is free.")


def _check_head(response: requests.Response, shown: str, max_bytes: int) -> None:
    status = response.status_code
    if status != HTTPStatus.OK:
        raise TaleCraftDownloadError(
            f"The picture at {shown} could not be fetched: HTTP {status}. Redirects are not followed.",
            status_code=status,
        )
    if response.headers.get("Content-Encoding", "identity").strip().casefold() != "identity":
        raise TaleCraftDownloadError(f"The picture at {shown} came in a content encoding that was not asked for.")
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced[:19]) > max_bytes:
        raise _too_large(shown, max_bytes)


def _receive(response: requests.Response, into: BinaryIO, shown: str, max_bytes: int) -> Picture:
    digest = hashlib.sha256()
    size = 0
    head = b""
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(shown, max_bytes)
        head = (head + chunk)[:LONGEST_SIGNATURE] if len(head) < LONGEST_SIGNATURE else head
        digest.update(chunk)
        into.write(chunk)
    for signature, content_type, extension in FORMATS:
        if all(head[offset : offset + len(magic)] == magic for offset, magic in signature):
            return Picture(content_type, extension, size, digest.hexdigest())
    raise TaleCraftDownloadError(f"What is at {shown} is not a PNG, JPEG or WebP picture ({size} bytes).")


def _too_large(shown: str, max_bytes: int) -> TaleCraftDownloadError:
    return TaleCraftDownloadError(f"The picture at {shown} is larger than max_bytes ({max_bytes}).")


def _without_query(url: str) -> str:
    """Return *url* fit for a message, without what may be a signature or a password.

    :raises TaleCraftDownloadError: if it is not an http(s) URL.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or not url.isprintable():
        raise TaleCraftDownloadError("image_url is not an http(s) URL of a picture. Map it from a generation's output.")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))

"""From a picture's URL into a local file. Whom to ask, how long, how much; what the bytes are is picture's.

The URL comes from outside, so it could be anybody's: an address inside the worker's own network, a page that never
ends, a redirect. Whether an address is public is said in ``addresses``.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import requests
from requests_hardened.ip_filter import InvalidIPAddress
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential, wait_random
from urllib3.exceptions import NameResolutionError

from airflow_provider_talecraft import __version__
from airflow_provider_talecraft.api import address, protocol
from airflow_provider_talecraft.api.connection import PlainSession
from airflow_provider_talecraft.api.deadline import Deadline
from airflow_provider_talecraft.api.environment import ca_bundle, proxies, ssl_context
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError
from airflow_provider_talecraft.pictures.addresses import PublicOnly, UnknownNameError, Watched

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import IO

#: Seconds to connect, and between two reads.
TIMEOUTS = (10.0, 30.0)
#: Seconds for everything, repetitions included. 50 MiB in that time are 180 kB/s.
DEADLINE = 300.0
#: How often a picture is asked for. Fetching is free; longer waits are the scheduler's.
ATTEMPTS = 4
CHUNK_BYTES = 64 * 1024

#: Statuses that pass: asking again soon may help. 403 and 404 are what a store or a CDN says of a picture that was
#: handed out a moment before it stands; from 520 on they are an edge's own.
PASSING = frozenset({403, 404, 408, 425, 429, 500, 502, 503, 504, *range(520, 531)})

#: What is asked for: what can be stored, and nothing that a CDN would rather send.
ACCEPT = "image/png, image/jpeg, image/webp;q=0.9"
#: Content encodings that uploaders note and that change nothing, or nothing that would pass for a picture.
PLAIN_ENCODINGS = frozenset({"", "identity", "aws-chunked", "base64"})

_backoff = wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.5)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Fetched:
    """What was written to the local file.

    :param size: bytes.
    :param sha256: hex digest of the bytes.
    """

    size: int
    sha256: str


class _PassesError(Exception):
    """Carries an error that asking again may clear."""

    def __init__(self, error: TaleCraftDownloadError) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = error.retry_after or 0.0


def fetch(
    url: str, into: IO[bytes], *, max_bytes: int, trusted: Collection[str] = (), deadline: float = DEADLINE
) -> Fetched:
    """Stream what is at *url* into *into*, in constant memory.

    The session is its own: no API key, no cookies, no ``.netrc``; redirects are not followed, content encodings not
    accepted. A connection that breaks, and a status that passes, are tried again.

    :param url: https URL on a public address; http and any address for *trusted* hosts.
    :param into: a seekable binary file; what it holds after an error is of no use.
    :param max_bytes: most bytes that are read.
    :param trusted: hosts as ``host`` or ``host:port``, in lower case.
    :param deadline: seconds for everything.
    :raises TaleCraftDownloadError: if it cannot be fetched, or is larger.
    """
    parts = _split(url)
    shown = without_query(url)
    until = time.monotonic() + deadline
    is_trusted = _is_trusted(parts, trusted)
    if parts.scheme != "https" and not is_trusted:
        raise TaleCraftDownloadError(
            f"The picture at {shown} is not fetched over plain http. If it is yours, name its host in image_hosts."
        )
    again = Retrying(
        retry=retry_if_exception_type(_PassesError),
        wait=_wait,
        # A server that says when is asked then, or not at all: its time may be beyond ours.
        stop=lambda state: state.attempt_number >= ATTEMPTS or time.monotonic() + _asked_to_wait(state) >= until,
        # Not beyond the deadline: the next attempt would be over before it began.
        sleep=lambda seconds: time.sleep(min(seconds, max(0.0, until - time.monotonic()))),
        reraise=True,
    )
    if parts.scheme == "https":
        ssl_context(ca_bundle())  # complains about a bundle that cannot be read; requests would in words of its own
    try:
        return again(_attempt, url, into, shown, max_bytes, is_trusted=is_trusted, until=until)
    except _PassesError as passes:
        failure = passes.error
    raise failure


def without_query(url: str) -> str:
    """Return *url* fit for a message or a file, without what may be a signature or a password.

    :raises TaleCraftDownloadError: if it is not an http(s) URL.
    """
    _split(url)
    return address.without_query(url)


def _asked_to_wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.wait if isinstance(error, _PassesError) else 0.0


def _wait(state: RetryCallState) -> float:
    return max(_backoff(state), _asked_to_wait(state))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or "\\" in url or not url.isprintable():
        raise TaleCraftDownloadError("image_url is not an http(s) URL of a picture. Map it from a generation's output.")
    return parts


def _is_trusted(parts: SplitResult, trusted: Collection[str]) -> bool:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return host in trusted or f"{host}:{parts.port or _DEFAULT_PORTS[parts.scheme]}" in trusted


def _attempt(url: str, into: IO[bytes], shown: str, max_bytes: int, *, is_trusted: bool, until: float) -> Fetched:
    into.seek(0)
    into.truncate()
    failure: TaleCraftDownloadError | None = None
    passes = True
    with Deadline(until - time.monotonic()) as deadline, PlainSession() as session:
        session.mount("https://", Watched(deadline) if is_trusted else PublicOnly(deadline))
        session.mount("http://", Watched(deadline))
        try:
            with session.get(
                url,
                headers={
                    "Accept": ACCEPT,
                    "Accept-Encoding": "identity",
                    "User-Agent": f"airflow-provider-talecraft/{__version__}",
                },
                timeout=TIMEOUTS,
                proxies=proxies(url),
                verify=ca_bundle(),
                allow_redirects=False,
                stream=True,
            ) as response:
                _check_head(response, shown, max_bytes)
                fetched = _receive(response, into, shown, max_bytes)
        except InvalidIPAddress as error:
            failure, passes = _not_public(shown, error), False
        except (requests.exceptions.InvalidURL, requests.exceptions.SSLError, UnicodeError) as error:
            failure, passes = _unfetched(shown, error), False
        except requests.RequestException as error:
            failure = _unresolved(shown) if _is_unresolved(error) else _unfetched(shown, error)
    if deadline.passed:
        raise TaleCraftDownloadError(f"The picture at {shown} did not come within the time for it. Fetching is free.")
    if failure is None:
        return fetched
    # Raised here and not above: an error of requests carries the whole URL.
    raise _PassesError(failure) if passes else failure


def _check_head(response: requests.Response, shown: str, max_bytes: int) -> None:
    status = response.status_code
    if status != HTTPStatus.OK:
        error = TaleCraftDownloadError(
            f"The picture at {shown} could not be fetched: HTTP {status}. Redirects are not followed.",
            status_code=status,
            retry_after=protocol.seconds_to_wait(response.headers.get("Retry-After")),
        )
        raise _PassesError(error) if status in PASSING else error
    encodings = response.headers.get("Content-Encoding", "").casefold().split(",")
    if not PLAIN_ENCODINGS.issuperset(encoding.strip() for encoding in encodings):
        raise TaleCraftDownloadError(f"The picture at {shown} came in a content encoding that was not asked for.")
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:19]) > max_bytes:
        raise _too_large(shown, max_bytes)


def _receive(response: requests.Response, into: IO[bytes], shown: str, max_bytes: int) -> Fetched:
    digest = hashlib.sha256()
    size = 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(shown, max_bytes)
        digest.update(chunk)
        into.write(chunk)
    into.flush()
    return Fetched(size, digest.hexdigest())


def _is_unresolved(error: requests.RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, UnknownNameError) or isinstance(reason, NameResolutionError)


def _unresolved(shown: str) -> TaleCraftDownloadError:
    return TaleCraftDownloadError(
        f"The picture at {shown} could not be fetched: the name of its host is not known here (DNS). Where names are "
        "looked up by a proxy alone, name the host in image_hosts: then the proxy (HTTPS_PROXY) is asked by name."
    )


def _not_public(shown: str, error: InvalidIPAddress) -> TaleCraftDownloadError:
    return TaleCraftDownloadError(
        f"The host of {shown} has the address {error}, which is not a public one: nothing was asked there. "
        "If it is yours, name it in image_hosts."
    )


def _unfetched(shown: str, error: Exception) -> TaleCraftDownloadError:
    return TaleCraftDownloadError(
        f"The picture at {shown} could not be fetched ({type(error).__name__}). Fetching again is free."
    )


def _too_large(shown: str, max_bytes: int) -> TaleCraftDownloadError:
    return TaleCraftDownloadError(f"The picture at {shown} is larger than max_bytes ({max_bytes}).")

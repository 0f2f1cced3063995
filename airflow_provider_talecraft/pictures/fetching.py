"""From a picture's URL into a local file. Whom to ask, how long, how much; what the bytes are is picture's.

The URL comes from outside, so it could be anybody's: an address inside the worker's own network, a page that never
ends, a redirect. The address check is that of the library ``requests-hardened``: it resolves a name once, refuses what
is not public, and connects to exactly the address that it checked.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from airflow_provider_talecraft import __version__
from airflow_provider_talecraft.api.connection import PlainSession
from airflow_provider_talecraft.api.deadline import Deadline
from airflow_provider_talecraft.api.environment import ca_bundle, proxies
from airflow_provider_talecraft.exceptions import TaleCraftDownloadError

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import BinaryIO

    from urllib3 import HTTPConnectionPool

#: Seconds to connect, and between two reads.
TIMEOUTS = (10.0, 30.0)
#: Seconds for everything, repetitions included. 50 MiB in that time are 180 kB/s.
DEADLINE = 300.0
#: How often a picture is asked for. Fetching is free; longer waits are the scheduler's.
ATTEMPTS = 4
CHUNK_BYTES = 64 * 1024

#: Statuses that pass: asking again soon may help.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

#: Azure's WireServer, the one cloud metadata address that is not in a range set aside; learn.microsoft.com,
#: "What is IP address 168.63.129.16?".
PUBLIC_METADATA_ADDRESSES = frozenset({"168.63.129.16"})

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


def fetch(
    url: str, into: BinaryIO, *, max_bytes: int, trusted: Collection[str] = (), deadline: float = DEADLINE
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
        wait=_backoff,
        stop=stop_after_attempt(ATTEMPTS),
        # Not beyond the deadline: the next attempt would be over before it began.
        sleep=lambda seconds: time.sleep(min(seconds, max(0.0, until - time.monotonic()))),
        reraise=True,
    )
    try:
        return again(_attempt, url, into, shown, max_bytes, is_trusted=is_trusted, until=until)
    except _PassesError as passes:
        failure = passes.error
    raise failure


def without_query(url: str) -> str:
    """Return *url* fit for a message or a file, without what may be a signature or a password.

    :raises TaleCraftDownloadError: if it is not an http(s) URL.
    """
    parts = _split(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


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


def _attempt(url: str, into: BinaryIO, shown: str, max_bytes: int, *, is_trusted: bool, until: float) -> Fetched:
    into.seek(0)
    into.truncate()
    failure: TaleCraftDownloadError | None = None
    passes = True
    with Deadline(until - time.monotonic()) as deadline, PlainSession() as session:
        session.mount("https://", _Watched(deadline) if is_trusted else _PublicOnly(deadline))
        session.mount("http://", _Watched(deadline))
        try:
            with session.get(
                url,
                headers={
                    "Accept": "image/*",
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
            failure = _unfetched(shown, error)
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
        )
        raise _PassesError(error) if status in PASSING else error
    if response.headers.get("Content-Encoding", "identity").strip().casefold() != "identity":
        raise TaleCraftDownloadError(f"The picture at {shown} came in a content encoding that was not asked for.")
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:19]) > max_bytes:
        raise _too_large(shown, max_bytes)


def _receive(response: requests.Response, into: BinaryIO, shown: str, max_bytes: int) -> Fetched:
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


class _Watched(HTTPAdapter):
    """Connections that end with the deadline."""

    def __init__(self, deadline: Deadline, **kwargs: Any) -> None:
        self._deadline = deadline
        super().__init__(**kwargs)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        self._deadline.watch(pool)
        return pool  # type: ignore[no-any-return]  # requests leaves its adapters' pools untyped


class _PublicOnly(_Watched, IPFilterAdapter):
    """https to public addresses only, checked where the connection is opened."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__(deadline, is_https_proto=True)

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(*args, **kwargs)
        if host_params["host"] in PUBLIC_METADATA_ADDRESSES:
            raise InvalidIPAddress(host_params["host"])
        return host_params, pool_kwargs


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

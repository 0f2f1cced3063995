"""One POST to TaleCraft and its answer. The only module that talks to the API; what an answer means is protocol's."""

from __future__ import annotations

import ssl
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from airflow_provider_talecraft import __version__
from airflow_provider_talecraft.api import protocol
from airflow_provider_talecraft.api.environment import ca_bundle, proxies
from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftInvalidRequestError,
    TaleCraftOutcomeUnknownError,
    TaleCraftUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import HTTPConnectionPool

    from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest

GENERATE_PATH = "/api/v1/generate"
USER_AGENT = f"airflow-provider-talecraft/{__version__}"

#: Bytes. A documented answer has a few hundred; what is larger is not one.
ANSWER_LIMIT = 16 * 1024


class TaleCraftClient:
    """Asks one TaleCraft host for illustrations. Sends each request once; retries nothing.

    :param api_key: the key; never logged, never part of an error.
    :param base_url: scheme, host and port of the service, without a path.
    :param connect_timeout: seconds for DNS, TCP and TLS; running out of it costs nothing.
    :param read_timeout: seconds to the end of the answer; running out of it leaves the outcome unknown.
    :raises TaleCraftAuthenticationError: if the key is blank or cannot be sent in a header.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str,
        connect_timeout: float,
        read_timeout: float,
    ) -> None:
        if not api_key:
            raise TaleCraftAuthenticationError("The API key is blank: nothing was sent.")
        if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
            raise TaleCraftAuthenticationError(
                "The API key contains a blank, a control or a non-ASCII character, so it is not one: "
                "nothing was sent. Copy it again."
            )
        self._api_key = api_key
        self.base_url = base_url.rstrip("/")
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def generate(self, request: IllustrationRequest) -> Illustration:
        """Send *request* once and return what it delivered; 2 credits are charged for it.

        :raises TaleCraftError: ``outcome`` says whether the request may have been charged.
        """
        return self._post(request.payload())

    def check_key(self) -> None:
        """Ask whether the key is accepted, at no cost: TaleCraft checks the key before the (empty) prompt.

        :raises TaleCraftError: if it is not, or could not be asked.
        """
        try:
            self._post({"prompt": ""})
        except TaleCraftInvalidRequestError:
            return
        raise TaleCraftOutcomeUnknownError(
            f"{self.base_url} drew a picture for an empty prompt, which TaleCraft does not: check the host."
        )

    def _post(self, payload: Mapping[str, str]) -> Illustration:
        url = self.base_url + GENERATE_PATH
        adapter = _OneConnection(_ssl_context(ca_bundle()))
        failure = ""
        with requests.Session() as session:
            # The environment's proxies are honoured below; its .netrc and cookies have no business here.
            session.trust_env = False
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            started = time.monotonic()
            try:
                with session.post(
                    url,
                    json=payload,
                    headers={
                        "X-API-Key": self._api_key,
                        "User-Agent": USER_AGENT,
                        "Accept": "application/json",
                        "Accept-Encoding": "identity",
                    },
                    timeout=(self.connect_timeout, self.read_timeout),
                    proxies=proxies(url),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    body = _read_body(response, deadline=started + self.read_timeout)
            except (requests.RequestException, OSError, TimeoutError) as error:
                # Described here and raised below: a requests error carries the request, and with it the key.
                failure = _describe(error)
        if failure and adapter.never_connected:
            raise TaleCraftUnavailableError(
                f"Could not connect to {self.base_url} ({failure}): nothing was sent, nothing was charged."
            )
        if failure:
            raise TaleCraftOutcomeUnknownError(
                f"No answer came back from {self.base_url} ({failure}). {protocol.UNKNOWN_ADVICE}"
            )
        return protocol.parse(
            response.status_code,
            body,
            retry_after=response.headers.get("Retry-After"),
            secret=self._api_key,
        )


class _OneConnection(HTTPAdapter):
    """Carries one request over a connection of its own, and knows whether that connection came about.

    ``never_connected`` is True only when opening the connection is what failed (DNS, TCP, proxy, TLS): then, and
    only then, it is certain that nothing was sent. The exception's class alone cannot tell: a TLS error may come
    from the handshake or from the middle of an answer.
    """

    def __init__(self, ssl_context: ssl.SSLContext) -> None:
        self.never_connected = False
        self._ssl_context = ssl_context
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._ssl_context, **kwargs)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return super().proxy_manager_for(*args, ssl_context=self._ssl_context, **kwargs)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the CA bundle to the shared context; requests would load it again for every connection."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        adapter = self

        class WatchedConnection(pool.ConnectionCls):  # type: ignore[misc]  # http or https, known at run time
            def connect(self) -> None:
                try:
                    super().connect()
                except BaseException:
                    adapter.never_connected = True
                    raise

        pool.ConnectionCls = WatchedConnection
        return pool  # type: ignore[no-any-return]  # a pool, seen as Any to replace its class


def _read_body(response: requests.Response, *, deadline: float) -> bytes:
    """Read the answer, up to the size of any real one and up to *deadline* (monotonic seconds).

    What is cut off there is read as it stands: if the JSON is whole it is a paid picture, and must not be lost.
    """
    body = bytearray()
    # A byte at a time: a larger read waits until it is full, however slowly that happens.
    for byte in response.iter_content(1):
        body += byte
        if len(body) > ANSWER_LIMIT or time.monotonic() > deadline:
            break
    return bytes(body)


def _describe(error: BaseException) -> str:
    """Return the innermost cause in a few words; the outer ones repeat it with addresses of objects."""
    seen = {id(error)}
    while True:
        inner = next(
            (
                e
                for e in (getattr(error, "reason", None), error.__cause__, error.__context__, *error.args)
                if isinstance(e, BaseException) and id(e) not in seen
            ),
            None,
        )
        if inner is None:
            break
        seen.add(id(inner))
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{type(error).__name__}: {text}"[:200]


@lru_cache(maxsize=4)
def _ssl_context(bundle: str) -> ssl.SSLContext:
    """Return the context that all connections of this process share: loading a CA bundle takes 17 ms CPU each time.

    :raises TaleCraftInvalidRequestError: if the bundle cannot be read.
    """
    try:
        if Path(bundle).is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise TaleCraftInvalidRequestError(
            f"The CA bundle {bundle!r} (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE) cannot be read: {error.strerror}. "
            "Nothing was sent."
        ) from None

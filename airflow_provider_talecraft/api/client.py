"""One POST to TaleCraft and its answer. The only module that talks to the API; what an answer means is protocol's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_talecraft import __version__
from airflow_provider_talecraft.api import protocol
from airflow_provider_talecraft.api.border import harmless
from airflow_provider_talecraft.api.connection import OneConnection, PlainSession
from airflow_provider_talecraft.api.deadline import Deadline
from airflow_provider_talecraft.api.environment import ca_bundle, proxies, ssl_context
from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftOutcomeUnknownError,
    TaleCraftUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest

GENERATE_PATH = "/api/v1/generate"
USER_AGENT = f"airflow-provider-talecraft/{__version__}"

#: Bytes. A documented answer has a few hundred, and one that repeats the prompt some thousand.
ANSWER_LIMIT = 1024 * 1024
#: Bytes that are read at most at a time.
PIECE = 16 * 1024


class TaleCraftClient:
    """Asks one TaleCraft host for illustrations. Sends each request once; retries nothing.

    :param api_key: the key; never logged, never part of an error.
    :param base_url: scheme, host and port of the service, without a path.
    :param connect_timeout: seconds for TCP, with each of the host's addresses, and for TLS; DNS takes its own time.
        Running out of it costs nothing.
    :param read_timeout: seconds from there to the end of the answer; running out of it leaves the outcome unknown.
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
        return self._meaning(self._post(request.payload()))

    def check_key(self) -> None:
        """Ask whether the key is accepted, at no cost: TaleCraft checks the key before the (empty) prompt.

        :raises TaleCraftError: if it is not, or could not be asked.
        """
        answer = self._post({"prompt": ""})
        if protocol.proves_key(answer.body):
            return
        self._meaning(answer)
        raise TaleCraftOutcomeUnknownError(
            f"{self.base_url} drew a picture for an empty prompt, which TaleCraft does not: check the host."
        )

    def _meaning(self, answer: _Answer) -> Illustration:
        return protocol.parse(answer.status, answer.body, retry_after=answer.retry_after, secret=self._api_key)

    def _post(self, payload: Mapping[str, str]) -> _Answer:
        url = self.base_url + GENERATE_PATH
        status, retry_after, body, failure = 0, None, bytearray(), ""
        by_way_of = proxies(url)
        is_secure = any(address.casefold().startswith("https:") for address in (url, *by_way_of.values()))
        with Deadline() as deadline, PlainSession() as session:
            carrier = OneConnection(
                ssl_context(ca_bundle()) if is_secure else None,
                deadline,
                connect_timeout=self.connect_timeout,
                read_timeout=self.read_timeout,
            )
            session.mount("https://", carrier)
            session.mount("http://", carrier)
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
                    proxies=by_way_of,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    status, retry_after = response.status_code, response.headers.get("Retry-After")
                    # What has come, piece by piece: to wait for a fixed length loses what came before it broke off.
                    while len(body) <= ANSWER_LIMIT and (piece := response.raw.read1(PIECE, decode_content=True)):
                        body += piece
            except Exception as error:  # noqa: BLE001  # whatever it was, the question is whether the request was sent
                # Described here and raised below: a requests error carries the request, and with it the key.
                failure = harmless(_describe(error), self._api_key)
        if deadline.passed:
            failure = "TimeoutError: the answer did not end in time"
        if failure and carrier.never_connected:
            raise TaleCraftUnavailableError(
                f"Could not connect to {self.base_url} ({failure}): nothing was sent, nothing was charged."
            )
        # An answer that broke off behind its JSON is an answer: a paid picture must not be lost. So is a status that
        # says it all: a firewall's 403 is one, however its page ends.
        if failure and not protocol.is_whole(body) and not protocol.is_refusal(status, retry_after):
            raise TaleCraftOutcomeUnknownError(
                f"No answer came back from {self.base_url} ({failure}). {protocol.UNKNOWN_ADVICE}"
            )
        return _Answer(status, bytes(body), retry_after)


class _Answer(NamedTuple):
    status: int
    body: bytes
    retry_after: str | None


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
    return f"{type(error).__name__}: {text}"

"""What an answer means. Bytes in, Illustration or a typed error out; opens no socket.

TaleCraft reports errors with HTTP status 200, so the message inside decides, and the status only where there is
no readable message. The one question behind every branch is whether the request was charged:

* ``code: 0`` with a usable ``image_url``: delivered, charged.
* ``code: -1``: refused, not charged (the charge is the last thing the service does before ``code: 0``).
* anything else: unknown. It may have been charged.

This is the border, too: what an answer brings in is made harmless here, once, so that behind it no text of an answer
can be a template, a path or a markup.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from airflow_provider_talecraft.api.models import Illustration
from airflow_provider_talecraft.exceptions import (
    TaleCraftAuthenticationError,
    TaleCraftError,
    TaleCraftGenerationFailedError,
    TaleCraftInsufficientCreditsError,
    TaleCraftInvalidRequestError,
    TaleCraftOutcomeUnknownError,
    TaleCraftRateLimitError,
    TaleCraftUnavailableError,
)

#: Upstream messages by prefix (upstream appends details), the error each becomes, and what a person can do.
MESSAGES: tuple[tuple[str, type[TaleCraftError], str], ...] = (
    (
        "API key is required",
        TaleCraftAuthenticationError,
        "Put the API key into the connection's password.",
    ),
    (
        "Invalid API key",
        TaleCraftAuthenticationError,
        "The key is unknown or revoked: create one in TaleCraft under Settings > API Keys.",
    ),
    (
        "User not found",
        TaleCraftAuthenticationError,
        "The account behind the key is gone: contact TaleCraft's support, or use another account's key.",
    ),
    ("prompt is required", TaleCraftInvalidRequestError, "Give a prompt that is not blank."),
    ("Unsupported style", TaleCraftInvalidRequestError, "The reference names one style: children_book."),
    (
        "Unsupported aspect_ratio",
        TaleCraftInvalidRequestError,
        "Use one of the ratios in the reference's table.",
    ),
    ("insufficient credits", TaleCraftInsufficientCreditsError, "Buy credits, then clear this task."),
    (
        "Image generation service is not configured",
        TaleCraftUnavailableError,
        "This is on TaleCraft's side: retry later, or contact their support.",
    ),
    ("Generation failed", TaleCraftGenerationFailedError, "Retry, or change the prompt."),
)

#: Phrases anywhere in a message that mean "slow down". How a breach is worded is not documented.
RATE_LIMIT_PHRASES = ("rate limit", "too many requests")
RATE_LIMIT_ADVICE = "Send fewer at a time: a pool caps how many tasks ask at once."

UNKNOWN_ADVICE = (
    "The request was sent, so it may have been charged; TaleCraft has no way to look it up. "
    "Sending it again may be charged again."
)

#: Upstream text is quoted up to here: enough for any documented message, too little to fill a log.
QUOTE_LIMIT = 300
#: Characters of an unreadable body among which there is something to quote, or not.
READ_LIMIT = 4096
#: Longest image_url that is taken, in characters: RFC 9110, section 4.1, asks everybody to support 8,000 octets.
URL_LIMIT = 8000
#: What may stand in a URL besides letters, digits and ``-._~`` (RFC 3986), save what ends a text in HTML or Markdown.
URL_SAFE = "%:/?#@!$&*+,;="
#: A host as a name, an IPv4 address or a bracketed IPv6 address; with a port.
AUTHORITY = re.compile(r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
#: A key at least this long cannot be part of a URL by chance.
KEY_LENGTH_NOT_BY_CHANCE = 8


def parse(status: int, body: bytes, *, retry_after: str | None = None, secret: str = "") -> Illustration:
    """Return the illustration that an answer delivers.

    :param status: HTTP status.
    :param body: the whole body, decoded from any transfer or content encoding.
    :param retry_after: the Retry-After header, seconds or an HTTP date.
    :param secret: text that must not come back in an error or an illustration, the API key.
    :raises TaleCraftError: the class says what happened, ``outcome`` whether it may have been charged.
    """
    envelope = _read(body)
    code = _integer(envelope.get("code"))
    if code == 0:
        return _illustration(envelope.get("data"), status, secret)
    if code is not None:
        message = envelope.get("message")
        text = message if isinstance(message, str) else ""
        refusal = _refusal(code, text, status, _seconds(retry_after), secret)
        if refusal:
            raise refusal
    raise _by_status(status, body, _seconds(retry_after), secret)


def is_whole(body: bytes | bytearray) -> bool:
    """Return whether *body* is a JSON object to its end, whatever should have come after it."""
    return bool(_read(body))


def _illustration(data: Any, status: int, secret: str) -> Illustration:
    fields = data if isinstance(data, dict) else {}
    texts = {name: _label(fields.get(name), secret) for name in ("id", "status")}
    url = _harmless_url(fields.get("image_url"))
    if not url or _contains_key(url, secret):
        raise TaleCraftOutcomeUnknownError(
            f"TaleCraft answered with success (id {texts['id']!r}) but without a usable image_url. {UNKNOWN_ADVICE}",
            status_code=status,
        )
    return Illustration(id=texts["id"], status=texts["status"], image_url=url)


def _refusal(code: int, message: str, status: int, retry_after: float | None, secret: str) -> TaleCraftError | None:
    """Return the error a message means, None if neither it nor its code is known."""
    said = f"TaleCraft answered {_quote(message, secret)}: nothing was charged."
    text = message.strip().casefold()
    for prefix, error, advice in MESSAGES:
        if text.startswith(prefix.casefold()):
            return error(f"{said} {advice}", status_code=status, retry_after=retry_after)
    if status == HTTPStatus.TOO_MANY_REQUESTS or any(phrase in text for phrase in RATE_LIMIT_PHRASES):
        return TaleCraftRateLimitError(f"{said} {RATE_LIMIT_ADVICE}", status_code=status, retry_after=retry_after)
    if code == -1:
        # The service's outermost handler puts any exception's own text here: something broke before the charge.
        return TaleCraftGenerationFailedError(
            f"{said} Retry, or change the prompt.", status_code=status, retry_after=retry_after
        )
    return None


def _by_status(status: int, body: bytes, retry_after: float | None, secret: str) -> TaleCraftError:
    """Return the error for an answer whose body says nothing readable."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TaleCraftRateLimitError(
            f"HTTP 429 Too Many Requests: nothing was charged. {RATE_LIMIT_ADVICE}",
            status_code=status,
            retry_after=retry_after,
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return TaleCraftUnavailableError(
            "HTTP 503 Service Unavailable: nothing was charged. Retry later.",
            status_code=status,
            retry_after=retry_after,
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        what = "a redirect, which is not followed because the API key would go along; check the connection's host"
    elif not body.strip():
        what = "an empty body"
    else:
        # Without the key before it is cut: half a key would be shown.
        text = _redact(body.decode(errors="replace"), secret)[:READ_LIMIT]
        what = f"something that is not its JSON: {_quote(text, secret)}"
    return TaleCraftOutcomeUnknownError(
        f"TaleCraft answered HTTP {status} with {what}. {UNKNOWN_ADVICE}", status_code=status
    )


def _read(body: bytes | bytearray) -> dict[str, Any]:
    """Return the JSON object in *body*, an empty one if there is none."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _integer(code: Any) -> int | None:
    """Return 0 for 0, 0.0 and "0", and likewise for other numbers; None for anything that is not one."""
    if isinstance(code, bool) or not isinstance(code, (int, float, str)):
        return None
    try:
        number = float(code)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None


def _seconds(retry_after: str | None) -> float | None:
    """Return the seconds a Retry-After header asks to wait, None if it is not readable."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])  # beyond any wait that is meant, and never an overflow
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def _harmless_url(value: Any) -> str:
    """Return *value* as RFC 3986 writes URLs; empty if it is no http(s) URL.

    A blank, a brace, a quote, a control or a letter of another script is percent-encoded: servers take both for the
    same address, and what is encoded is no template and no markup.
    """
    text = value.strip() if isinstance(value, str) else ""
    # Before it is taken apart: urlsplit drops tabs and newlines without a word.
    text = re.sub(r"[\x00-\x20]", lambda control: f"%{ord(control[0]):02X}", text)
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        user, at, host = parts.netloc.rpartition("@")
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return ""
    if not usable or not AUTHORITY.fullmatch(host):
        return ""
    rest = text.partition("://")[2][len(parts.netloc) :]
    url = f"{parts.scheme}://{_encoded(user)}{at}{host}{_encoded(rest)}"
    return url if len(url) <= URL_LIMIT else ""


def _encoded(text: str) -> str:
    return quote(text, safe=URL_SAFE, errors="surrogatepass")


def _contains_key(url: str, secret: str) -> bool:
    return len(secret) >= KEY_LENGTH_NOT_BY_CHANCE and (secret in url or _encoded(secret) in url)


def _label(value: Any, secret: str) -> str:
    """Return a short name: letters, digits and ``._:-``, the first one a letter or a digit."""
    text = _redact(value, secret) if isinstance(value, str) else ""
    return re.sub(r"[^A-Za-z0-9._:-]", "", text).lstrip("._:-")[:QUOTE_LIMIT]


def _redact(text: str, secret: str) -> str:
    return text.replace(secret, "***") if secret else text


def _quote(text: str, secret: str) -> str:
    """Return upstream text fit for a message: one printable line, without the key, cut at the limit."""
    line = " ".join(_redact(text, secret).split())
    shown = line if len(line) <= QUOTE_LIMIT else line[:QUOTE_LIMIT] + "…"
    return repr("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown))

"""What an answer means. Bytes in, Illustration or a typed error out; opens no socket.

TaleCraft reports errors with HTTP status 200, so the message inside decides, and the status only where there is
no readable message. The one question behind every branch is whether the request was charged:

* ``code: 0`` with a usable ``image_url``: delivered, charged.
* ``code: -1``: refused, not charged (the charge is the last thing the service does before ``code: 0``).
* anything else: unknown. It may have been charged.

What an answer brings in is made harmless in border, what its messages mean is in messages.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from airflow_provider_talecraft.api.border import READ_LIMIT, contains_key, harmless_url, label, quoted, redact
from airflow_provider_talecraft.api.messages import MESSAGES, PROMPT_IS_REQUIRED, says_slow_down
from airflow_provider_talecraft.api.models import Illustration
from airflow_provider_talecraft.exceptions import (
    TaleCraftError,
    TaleCraftGenerationFailedError,
    TaleCraftInvalidRequestError,
    TaleCraftOutcomeUnknownError,
    TaleCraftRateLimitError,
    TaleCraftUnavailableError,
)

#: An edge or a network's login page says with these that the request never reached the service; not with 520 and 524.
NEVER_REACHED = frozenset({511, 521, 522, 523, 525, 526, 530})
#: 4xx that say nothing of a refusal: somebody on the way ran out of patience, and the work may go on behind it.
IMPATIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, 499})

RATE_LIMIT_ADVICE = "Send fewer at a time: a pool caps how many tasks ask at once."
UNAVAILABLE_ADVICE = "Retry later; if it stays, check the host, and what TaleCraft says of its service."
NOT_TALECRAFT_ADVICE = (
    "That is the answer of a web server, a proxy or a firewall, not TaleCraft's own: check the host and the port of "
    "the connection, and what stands between it and this machine."
)
UNKNOWN_ADVICE = (
    "The request was sent, so it may have been charged; TaleCraft has no way to look it up. "
    "Sending it again may be charged again."
)


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
        refusal = _refusal(code, text, status, seconds_to_wait(retry_after), secret)
        if refusal:
            raise refusal
    raise _by_status(status, body, seconds_to_wait(retry_after), secret)


def proves_key(body: bytes) -> bool:
    """Return whether *body* is the service's answer to an empty prompt, which it gives to a valid key alone."""
    envelope = _read(body)
    code, message = _integer(envelope.get("code")), envelope.get("message")
    if code is None or code == 0 or not isinstance(message, str):
        return False
    return message.strip().casefold().startswith(PROMPT_IS_REQUIRED)


def is_whole(body: bytes | bytearray) -> bool:
    """Return whether *body* is a JSON object to its end, whatever should have come after it."""
    return bool(_read(body))


def _illustration(data: Any, status: int, secret: str) -> Illustration:
    fields = data if isinstance(data, dict) else {}
    texts = {name: label(fields.get(name), secret) for name in ("id", "status")}
    url = harmless_url(fields.get("image_url"))
    if not url or contains_key(url, secret):
        raise TaleCraftOutcomeUnknownError(
            f"TaleCraft answered with success (id {texts['id']!r}) but without a usable image_url. {UNKNOWN_ADVICE}",
            status_code=status,
        )
    return Illustration(id=texts["id"], status=texts["status"], image_url=url)


def _refusal(code: int, message: str, status: int, retry_after: float | None, secret: str) -> TaleCraftError | None:
    """Return the error a message means, None if neither it nor its code is known."""
    said = f"TaleCraft answered {quoted(message, secret)}: nothing was charged."
    text = message.strip().casefold()
    for prefix, error, advice in MESSAGES:
        if text.startswith(prefix.casefold()):
            return error(f"{said} {advice}", status_code=status, retry_after=retry_after)
    if status == HTTPStatus.TOO_MANY_REQUESTS or says_slow_down(message):
        return TaleCraftRateLimitError(f"{said} {RATE_LIMIT_ADVICE}", status_code=status, retry_after=retry_after)
    if code != -1:
        return None
    if status == HTTPStatus.SERVICE_UNAVAILABLE or status in NEVER_REACHED:
        # Another prompt would meet the same.
        return TaleCraftUnavailableError(f"{said} {UNAVAILABLE_ADVICE}", status_code=status, retry_after=retry_after)
    if not text and _is_web_servers(status):
        return TaleCraftInvalidRequestError(f"{said} {NOT_TALECRAFT_ADVICE}", status_code=status)
    # The service's outermost handler puts any exception's own text here: something broke before the charge.
    return TaleCraftGenerationFailedError(
        f"{said} Retry, or change the prompt.", status_code=status, retry_after=retry_after
    )


def _is_web_servers(status: int) -> bool:
    """Return whether *status* is a 4xx with which a web server, a proxy or a firewall turns a request away."""
    turned_away = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return turned_away and status != HTTPStatus.TOO_MANY_REQUESTS and status not in IMPATIENT


def is_refusal(status: int, retry_after: str | None) -> bool:
    """Return whether a status says by itself that nothing was charged, whatever became of the body behind it."""
    return _by_status(status, b"", seconds_to_wait(retry_after), "").outcome == "refused"


def _by_status(status: int, body: bytes, retry_after: float | None, secret: str) -> TaleCraftError:
    """Return the error for an answer whose body says nothing readable."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        what = "a redirect, which is not followed because the API key would go along; check the connection's host"
    elif not body.strip():
        what = "an empty body"
    else:
        # The key is taken out before the text is cut: a cut key would not be recognised, and half of it shown.
        text = redact(body.decode(errors="replace"), secret)[:READ_LIMIT]
        what = f"something that is not its JSON: {quoted(text, secret)}"
    error: type[TaleCraftError] = TaleCraftOutcomeUnknownError
    then = f". {UNKNOWN_ADVICE}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        error, then = TaleCraftRateLimitError, f": nothing was charged. {RATE_LIMIT_ADVICE}"
    elif status in NEVER_REACHED or (status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None):
        error, then = TaleCraftUnavailableError, f": nothing was charged. {UNAVAILABLE_ADVICE}"
    elif _is_web_servers(status):
        error, then = TaleCraftInvalidRequestError, f": nothing was charged. {NOT_TALECRAFT_ADVICE}"
    return error(
        f"TaleCraft's host answered HTTP {status} with {what}{then}", status_code=status, retry_after=retry_after
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


def seconds_to_wait(retry_after: str | None) -> float | None:
    """Return the seconds a Retry-After header asks to wait, None if it is not readable."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        return min(float(text[:30]), 999_999_999.0)  # beyond any wait that is meant, and never an overflow
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

"""Which requests are refused, in which words and in which order. Pure: bytes and headers in, an Order or a Refusal out.

The words are the reference's. What it leaves open is marked here with "a choice".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.sandbox.ledger import Order

if TYPE_CHECKING:
    from collections.abc import Collection

STYLES = ("children_book",)
ASPECT_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9")
MAX_BODY_BYTES = 1024 * 1024


class Refusal(Exception):  # noqa: N818 - an outcome of the service, not an error of the sandbox
    """``{"code": -1, "message": …}``, and nothing was charged.

    :param status: 200, as upstream, except where the sandbox had to guess.
    :param retry_after: seconds for the Retry-After header.
    """

    def __init__(self, message: str, *, status: int = 200, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.retry_after = retry_after


def check_key(key: str | None, valid: Collection[str]) -> None:
    if key is None or not key.strip():
        raise Refusal("API key is required. Please provide X-API-Key header.")
    if key not in valid:
        raise Refusal("Invalid API key")


def parse(body: bytes) -> Any:
    """The body as JSON, whatever Content-Type says, with JavaScript's words where it is none.

    Upstream runs on JavaScript and answers with the exception's own text; a client must live with any text there.
    """
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    if not text.strip():
        raise Refusal("Unexpected end of JSON input")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if error.pos >= len(text):
            raise Refusal("Unexpected end of JSON input") from error
        raise Refusal(f"Unexpected token {text[error.pos]} in JSON at position {error.pos}") from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, brackets 100,000 deep
        raise Refusal("Unexpected number in JSON") from error


def prompt_of(payload: Any) -> str | None:
    """The prompt as text, if there is one; a lone surrogate becomes U+FFFD, as in any UTF-8 encoder."""
    prompt = payload.get("prompt") if isinstance(payload, dict) else None
    if not isinstance(prompt, str):
        return None
    return prompt.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_order(payload: Any) -> Order:
    """The checks of a readable body.

    A choice: a prompt of blanks only counts as empty, and a prompt that is no string has a message of its own.
    """
    if not isinstance(payload, dict):
        raise Refusal("Cannot destructure property 'prompt' of the request body: it is not an object")
    prompt = prompt_of(payload)
    if prompt is None and payload.get("prompt") is not None:
        raise Refusal("prompt must be a string")
    if prompt is None or not prompt.strip():
        raise Refusal("prompt is required")
    return Order(
        prompt=prompt,
        style=_one_of(STYLES, payload, "style"),
        aspect_ratio=_one_of(ASPECT_RATIOS, payload, "aspect_ratio"),
    )


def _one_of(values: tuple[str, ...], payload: dict[str, Any], name: str) -> str:
    """The field's value, or the first one where it is absent. A null is no string, so it is refused."""
    value = payload.get(name, values[0])
    if not isinstance(value, str) or value not in values:
        raise Refusal(f"Unsupported {name}")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"Python reads {name}, JSON does not know it")

"""The form of a receipt: which JSON is one, and what it says in a sentence. Reads and writes no file."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.spending.claims import OWNER, loads

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow_provider_talecraft.pictures.place import ObjectLocation

VERSION = 1
#: The states in which the picture is paid for.
PAID = ("answered", "fetched", "stored")
STATES = ("asked", "refused", *PAID)
#: The states in which somebody may be at work.
BUSY = ("asked", "answered", "fetched")
#: More requests for one picture are no receipt of ours.
MOST_REQUESTS = 1_000_000


def read(content: bytes, location: ObjectLocation, files: Collection[str]) -> dict[str, Any]:
    """Return what the receipt *content* says.

    :param location: where it stands.
    :param files: what its picture's file may be called.
    :raises AirflowFailException: if it is none; it is not taken for "no receipt".
    """
    facts = loads(content)
    if facts.pop("talecraft_receipt", None) != VERSION or not _is_text(facts) or not _is_receipt(facts, files):
        raise AirflowFailException(
            f"What stands at {location} is no receipt, or was edited to something else: nothing was sent. Mend it, or "
            "choose another place; or delete it and the picture beside it to draw, and pay, anew."
        )
    facts.pop("about", None)
    return facts


def _is_text(facts: dict[str, Any]) -> bool:
    """Return whether it can be written again: not half a surrogate pair, nor what JSON has no number for."""
    with suppress(ValueError, RecursionError):
        return bool(json.dumps(facts, ensure_ascii=False, allow_nan=False).encode())
    return False


def _is_receipt(facts: dict[str, Any], files: Collection[str]) -> bool:
    texts = ("state", "fingerprint", "prompt", "style", "aspect_ratio", *OWNER[:3])
    counts = ("replays", "requests", "max_tries", "credits")
    state, replaced = facts.get("state"), facts.get("replaces")
    return bool(
        all(isinstance(facts.get(name), str) for name in texts)
        and all(isinstance(facts.get(name, ""), str) for name in ("id", "status", "image_url", "source"))
        and all(type(facts.get(name)) is int and facts[name] >= 0 for name in counts)
        and facts["requests"] <= MOST_REQUESTS
        and type(facts.get("map_index")) is int
        and state in STATES
        and isinstance(facts.get("unanswered"), list)
        and all(isinstance(moment, str) for moment in facts["unanswered"])
        and (state != "asked" or facts["unanswered"])
        and (state != "answered" or facts.get("image_url"))
        and (state not in {"fetched", "stored"} or _is_picture(facts, files))
        and (replaced is None or _is_of_a_picture(replaced, files))
    )


def _is_picture(facts: dict[str, Any], files: Collection[str]) -> bool:
    # A file elsewhere is none of ours, whatever somebody wrote here: it could be overwritten or removed.
    return (
        facts.get("file") in tuple(files)
        and all(isinstance(facts.get(name), str) and facts[name] for name in ("source", "sha256", "content_type"))
        and all(type(facts.get(name)) is int and facts[name] >= 0 for name in ("bytes", "width", "height"))
    )


def _is_of_a_picture(facts: Any, files: Collection[str]) -> bool:
    return isinstance(facts, dict) and facts.get("state") == "stored" and _is_receipt(facts, files)


def about(facts: Mapping[str, Any]) -> str:
    """Return what it says, as a sentence."""
    lost = f" Without an answer, and perhaps charged: {', '.join(facts['unanswered'])}." if facts["unanswered"] else ""
    return {
        "asked": "A request is on its way, or has no answer.",
        "refused": "The last request was refused: nothing was charged for it.",
        "answered": f"{CREDITS} credits. The picture is not fetched yet.",
        "fetched": f"{CREDITS} credits. The picture is being stored.",
        "stored": f"{CREDITS} credits. The picture stands in {facts.get('file')}.",
    }[facts["state"]] + lost

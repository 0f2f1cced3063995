"""Who may send a request, of several tasks with one destination. Knows no receipt, only where it lies.

Request number *n* is claimed by the exclusive creation of ``<receipt>.<n>``. Who has claimed it reads the receipt
again, writes there that the request is on its way, and removes the claim: whoever comes later with an older receipt in
mind finds that it has changed.
"""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow_provider_talecraft.exceptions import TaleCraftUnavailableError
from airflow_provider_talecraft.pictures.place import ObjectLocation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

log = logging.getLogger(__name__)

#: What makes a task instance the one that wrote a receipt or a claim.
OWNER = ("dag_id", "task_id", "run_id", "map_index")
CONTENT_TYPE = "application/json"
#: Bytes. A receipt has a thousand and its prompts, a claim less.
LIMIT = 1024 * 1024
#: So many claims of dead workers in a row are no accident.
MOST_LEFT = 100


class TakenError(TaleCraftUnavailableError):
    """Another task draws the same picture; later it stands there.

    :param what_happened: to the own request; that none was sent, by default.
    """

    def __init__(self, receipt: ObjectLocation, what_happened: str = "nothing was sent") -> None:
        super().__init__(f"Another task draws this picture now, says the receipt {receipt}: {what_happened}.")


@contextmanager
def claimed(
    receipt: ObjectLocation, number: int, *, owner: Mapping[str, Any], until: str, is_current: Callable[[], bool]
) -> Iterator[int]:
    """Hold the claim of request *number*, or of the next one after those that dead workers have left behind.

    :param owner: the task instance.
    :param until: when this is over, whatever becomes of the task; as :func:`moment_in` has it.
    :param is_current: whether the receipt still says what *number* was counted from.
    :raises TakenError: if another task was faster.
    """
    mine = json.dumps({**owner, "busy_until": until}).encode()
    left_behind = []
    for counted in range(number, number + MOST_LEFT):
        claim = ObjectLocation(receipt.path.parent / f"{receipt.path.name}.{counted}")
        try:
            claim.put(mine, content_type=CONTENT_TYPE, exclusive=True)
            break
        except FileExistsError:
            content = claim.read(LIMIT)
            # Whoever claims writes the receipt next, and then asks: nothing was sent by one who died before that. One
            # that is gone by now was not left behind. The own one is no exception: Airflow may take a worker for dead
            # that is only slow, and try its task again.
            if content is None or not is_over(loads(content)):
                raise TakenError(receipt) from None
            left_behind.append(claim)
    else:
        raise TakenError(receipt)
    try:
        if not is_current():
            raise TakenError(receipt)
        yield counted
    finally:
        _remove(claim)
    for claim in left_behind:
        _remove(claim)


def loads(content: bytes | None) -> dict[str, Any]:
    """Return the JSON object that *content* is, an empty one if it is none."""
    with suppress(ValueError, RecursionError):
        facts = json.loads(content or b"")
        if isinstance(facts, dict):
            return facts
    return {}


def is_of(facts: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Return whether *owner* wrote it, in this try or an earlier one."""
    return all(facts.get(name) == owner[name] for name in OWNER)


def is_over(facts: Mapping[str, Any]) -> bool:
    """Return whether nobody can be at work any more; True as well if that cannot be read."""
    try:
        return datetime.now(timezone.utc) > datetime.fromisoformat(facts["busy_until"])
    except (KeyError, TypeError, ValueError):
        return True


def moment_in(seconds: float) -> str:
    """Return the time in so many seconds, ISO 8601 in UTC."""
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def _remove(claim: ObjectLocation) -> None:
    try:
        claim.remove()
    except Exception:  # it is of no use any more, and does no harm
        log.warning("%s could not be removed", claim, exc_info=True)

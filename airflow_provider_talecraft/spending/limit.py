"""What may be spent over one connection in one day: counted in Airflow's Variables, which all Dags and workers share.

Airflow offers a task no counter that two workers can raise at the same time without losing one. So nothing is counted
up: each request that was sent is a Variable of its own, and their number is the sum. A request first writes its own and
then counts; of two at the same moment, the later one sees both. What is spent can be taken for more than it is, never
for less.
"""

from __future__ import annotations

import hashlib
import logging
import re
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

from airflow_provider_talecraft.api.models import CREDITS
from airflow_provider_talecraft.exceptions import (
    TaleCraftError,
    TaleCraftInvalidRequestError,
    TaleCraftSpendLimitError,
    TaleCraftUnavailableError,
)
from airflow_provider_talecraft.spending.store import ASKING_AIRFLOW
from airflow_provider_talecraft.version_compat import delete_variable, set_variable, variable_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

#: What the Variables' keys begin with. The connection's id and the day follow, with a character between that no id has.
PREFIX = "talecraft_spent"
#: Days after which what was spent is forgotten; more than one, since clocks differ.
KEPT_DAYS = 2


class SpendLimit:
    """The limit of one connection.

    :param talecraft_conn_id: id of the connection.
    :param credits_per_day: what may be spent from midnight to midnight UTC; None for no limit, which asks Airflow
        nothing.
    :param clock: returns the time, in UTC.
    """

    def __init__(
        self,
        talecraft_conn_id: str,
        credits_per_day: int | None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._credits_per_day = credits_per_day
        self._clock = clock
        is_plain = re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", talecraft_conn_id)
        name = talecraft_conn_id if is_plain else hashlib.sha256(talecraft_conn_id.encode()).hexdigest()[:32]
        self._all = f"{PREFIX}@{name}@"

    @contextmanager
    def share(self) -> Iterator[None]:
        """Hold a share of the day for the one request that is sent in the block; a refused request gives it back.

        :raises TaleCraftSpendLimitError: if none is left; nothing is sent.
        :raises TaleCraftUnavailableError: if Airflow does not say how much was spent; nothing is sent.
        :raises TaleCraftInvalidRequestError: if this Airflow cannot count; nothing is sent.
        """
        if self._credits_per_day is None:
            yield
            return
        key = self._take(self._credits_per_day)
        try:
            yield
        except TaleCraftError as error:
            if error.outcome == "refused":
                self._give_back(key)
            raise

    def _take(self, limit: int) -> str:
        now = self._clock()
        today = f"{self._all}{now:%Y-%m-%d}@"
        key = f"{today}{uuid4().hex}"
        try:
            with ASKING_AIRFLOW:
                set_variable(key, f"{CREDITS} credits, {now:%H:%M:%S} UTC", "Counted by credits_per_day of TaleCraft.")
                # The database may take capitals for small letters, and "_" for any character.
                keys = {found for found in variable_keys(today) if found.startswith(today)}
        except NotImplementedError as error:
            raise TaleCraftInvalidRequestError(f"credits_per_day: {error}: nothing was sent.") from None
        except Exception as error:
            self._give_back(key)
            raise TaleCraftUnavailableError(
                f"credits_per_day: Airflow does not say what was spent today ({type(error).__name__}: {error}): "
                "nothing was sent."
            ) from error
        if key not in keys:
            self._give_back(key)
            raise TaleCraftUnavailableError(
                f"credits_per_day: Airflow does not list the Variable {key} that was just written, so it may hide "
                "others too: nothing was sent."
            )
        if len(keys) * CREDITS > limit:
            self._give_back(key)
            raise _reached(limit, (len(keys) - 1) * CREDITS, now)
        if len(keys) == 1:
            self._forget_before(f"{self._all}{now - timedelta(days=KEPT_DAYS):%Y-%m-%d}@")
        return key

    def _give_back(self, key: str) -> None:
        try:
            with ASKING_AIRFLOW:
                delete_variable(key)
        except Exception:  # counted as spent then, which is the safe side
            log.warning("The Variable %s could not be deleted: its credits count as spent today.", key, exc_info=True)

    def _forget_before(self, first: str) -> None:
        """Delete what was spent before the day whose keys begin with *first*; dates sort as they follow."""
        try:
            with ASKING_AIRFLOW:
                for key in variable_keys(self._all):
                    if key.startswith(self._all) and key < first:
                        delete_variable(key)
        except Exception:  # the next day's first request does it
            log.warning("Variables of earlier days could not be deleted.", exc_info=True)


def _reached(limit: int, spent: int, now: datetime) -> TaleCraftSpendLimitError:
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), timezone.utc)
    return TaleCraftSpendLimitError(
        f"credits_per_day: {spent} credits were spent today (UTC), or may have been, and the connection's limit is "
        f"{limit}: nothing was sent. Raise credits_per_day, or clear this task after midnight UTC.",
        retry_after=(midnight - now).total_seconds(),
    )

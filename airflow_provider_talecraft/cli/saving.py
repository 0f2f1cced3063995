"""Where ``generate --save`` puts its picture: drawn once, as IllustrationOperator draws, by a run of a command."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_talecraft.pictures.delivery import Delivery
from airflow_provider_talecraft.pictures.place import ObjectLocation, checked_path
from airflow_provider_talecraft.policies.options import DEFAULT_MAX_BYTES
from airflow_provider_talecraft.spending.once import DrawOnce
from airflow_provider_talecraft.spending.receipt import NAME
from airflow_provider_talecraft.spending.record import fingerprint
from airflow_provider_talecraft.spending.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_talecraft.api.models import Illustration, IllustrationRequest
    from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
    from airflow_provider_talecraft.policies.options import Redraw

#: Seconds that a request may be on its way beyond the connection's timeouts.
MARGIN = 60.0


class Saving:
    """A picture and the place it is saved in. Its receipt stands beside it, as docs/receipts.md says.

    :param place: a local path, or an ObjectStoragePath URI; a folder ends in a slash, or is there.
    :param request: what is drawn.
    :param hook: the connection.
    :raises AirflowFailException: if *place* is not one, or its receipt cannot be read; nothing was sent.
    """

    def __init__(self, place: str, request: IllustrationRequest, hook: TaleCraftHook) -> None:
        self.uri = as_uri(place)
        self._request = request
        self._hook = hook
        checked_path(self.uri, None)
        moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
        #: Whose receipt it is: as much of a task instance as is asked for.
        self._run = SimpleNamespace(
            dag_id="airflow talecraft",
            task_id="generate",
            run_id=f"{moment}-{uuid4().hex[:8]}",
            map_index=-1,
            max_tries=0,
        )
        self._delivery = Delivery(
            self.uri, None, if_exists="overwrite", max_bytes=DEFAULT_MAX_BYTES, trusted=hook.picture_hosts()
        )
        self._redraw: Redraw = "when_changed"
        #: What stands there and is not this picture.
        self.in_the_way = self._standing()
        #: The output, if the picture stands there, drawn from the same request.
        self.found: dict[str, Any] | None = None
        if self.in_the_way:
            self._look_whose_it_is()
        picture = None if self.found else self._once()
        #: How many requests for it have no answer: each may have been charged.
        self.unanswered = picture.unanswered if picture else 0
        self._replays = picture.replays if picture else 0
        #: Whether an earlier command paid for it, and could not save it.
        self.is_paid = picture is not None and picture.is_paid
        if picture and picture.delivered:
            self.found = picture.delivered

    def draw(self, send: Callable[[IllustrationRequest], Illustration], *, again: bool = False) -> dict[str, Any]:
        """Draw it, or go on with what was paid for, and save it.

        :param again: send although as many requests as are let through by default have no answer: a person said so.
        """
        picture = self._once(max_replays=self._replays + 1 if again else 1)
        return picture.obtain_or_wait([self._request], send)

    def _standing(self) -> list[str]:
        folder, name = self._delivery.folder_and_name(fingerprint(self._request.payload())[:NAME])
        places = [ObjectLocation(folder / file) for file in self._delivery.possible_names(name)]
        return [shown(str(place)) for place in places if place.size() is not None]

    def _look_whose_it_is(self) -> None:
        try:
            self._redraw = "never"
            output = self._once().delivered
        except AirflowFailException:  # somebody else's, or changed since
            output = None
        if output and all(output[name] == value for name, value in self._request.payload().items()):
            self.found, self.in_the_way = output, []
        self._redraw = "always"

    def _once(self, *, max_replays: int = 1) -> DrawOnce:
        settings = self._hook.settings
        terms = Terms(
            self._delivery,
            redraw=self._redraw,
            max_replays=max_replays,
            lease=lambda: settings.connect_timeout + settings.read_timeout + MARGIN,
            talecraft_conn_id=self._hook.talecraft_conn_id,
        )
        return DrawOnce([self._request], terms, self._run)


def as_uri(place: str) -> str:
    """Return a local path as a URI; what is one stays as it is."""
    if "://" in place:
        return place
    is_folder = place.endswith(os.sep) or Path(place).is_dir()
    return f"file://{os.path.abspath(place)}" + ("/" if is_folder else "")  # noqa: PTH100  # no links followed


def shown(path: str) -> str:
    """Return a path as a person calls it."""
    return path.removeprefix("file://")

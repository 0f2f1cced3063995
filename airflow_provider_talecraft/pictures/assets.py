"""What the events of a task's asset outlets carry."""

from __future__ import annotations

import hashlib
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_talecraft.api.address import without_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.providers.common.compat.sdk import Context


log = logging.getLogger(__name__)

#: Characters that an asset's name and URI may have; models/asset.py of Airflow.
LONGEST_URI = 1500


def shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return *facts* as they may be kept and read by others: URLs among them without query, user and password."""
    return {name: without_query(value) if isinstance(value, str) else value for name, value in facts.items()}


def add_to_asset_events(context: Context, outlets: Iterable[Any], uri: str, facts: Mapping[str, Any]) -> None:
    """Put *facts* on the event of every asset among *outlets*; under an alias, on that of an asset at *uri*.

    What was made is made, and paid for: an event that Airflow does not take is a warning, never an error.

    :param context: the task's.
    :param uri: where what was made is, without a connection's id; an image URL's query is not kept.
    :param facts: flat JSON.
    """
    for outlet in outlets:
        try:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra = shown(facts)
            elif isinstance(outlet, AssetAlias):
                events: Any = context["outlet_events"]
                events[outlet].add(Asset(_asset_uri(uri)), extra=shown(facts))
        except Exception as error:  # noqa: BLE001  # nothing about an event may fail a task that has paid
            log.warning("The event of %s is without what was made: %s", outlet, type(error).__name__)


def _asset_uri(uri: str) -> str:
    """Return *uri* as Airflow takes it: ASCII, no query, no fragment; what is escaped already stays as it is."""
    quoted = quote(without_query(uri), safe="%:/[]@!$&'()*+,;=")
    if len(quoted) <= LONGEST_URI:
        return quoted
    digest = hashlib.sha256(quoted.encode()).hexdigest()
    return re.sub("%.?$", "", quoted[: LONGEST_URI - len(digest) - 1]) + "-" + digest

"""What the events of a task's asset outlets carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import Asset, AssetAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.providers.common.compat.sdk import Context


def add_to_asset_events(context: Context, outlets: Iterable[Any], uri: str, facts: Mapping[str, Any]) -> None:
    """Put *facts* on the event of every asset among *outlets*; under an alias, on that of an asset at *uri*.

    :param context: the task's.
    :param uri: where what was made is, without credentials or a connection's id.
    :param facts: flat JSON.
    """
    for outlet in outlets:
        events: Any = context["outlet_events"]
        if isinstance(outlet, Asset):
            events[outlet].extra = dict(facts)
        elif isinstance(outlet, AssetAlias):
            # Airflow takes ASCII only; what is escaped already stays as it is.
            events[outlet].add(Asset(quote(uri, safe="%:/?#[]@!$&'()*+,;=")), extra=dict(facts))

"""A stand-in for the events of a task's asset outlets, which only a running task has; real ones: integration/."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

from airflow.providers.common.compat.sdk import AssetAlias


class Events(defaultdict):
    """``context["outlet_events"]``: the extra of an asset's event, and what was added under an alias."""

    def __init__(self):
        super().__init__(lambda: SimpleNamespace(extra={}, added=[]))

    def __getitem__(self, outlet):
        accessor = super().__getitem__(outlet.name if isinstance(outlet, AssetAlias) else outlet.uri)
        accessor.add = lambda asset, extra: accessor.added.append((asset.uri, extra))
        return accessor

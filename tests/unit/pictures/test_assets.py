"""Asset events carry what was made, on a real run: plain assets, aliases, and nothing where there is no outlet."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import Asset, AssetAlias
from asset_events import Events

from airflow_provider_talecraft.pictures.assets import add_to_asset_events

FACTS = {"path": "s3://books/fox.jpeg", "prompt": "A fox"}


def test_a_plain_assets_event_carries_the_facts():
    events = Events()
    asset = Asset("s3://books/fox.jpeg")
    add_to_asset_events({"outlet_events": events}, [asset], "s3://books/fox.jpeg", FACTS)
    assert events[asset].extra == FACTS


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://books/fox.jpeg", "s3://books/fox.jpeg"),
        ("s3://books/狐狸.jpeg", "s3://books/%E7%8B%90%E7%8B%B8.jpeg"),
        ("s3://books/a%20b.jpeg", "s3://books/a%20b.jpeg"),
    ],
)
def test_under_an_alias_there_is_an_asset_at_the_pictures_place_in_ascii(uri, expected):
    events = Events()
    alias = AssetAlias("pictures")
    add_to_asset_events({"outlet_events": events}, [alias], uri, FACTS)
    assert events[alias].added == [(expected, FACTS)]


def test_outlets_of_another_kind_and_none_at_all_are_no_matter():
    add_to_asset_events({}, [], "s3://books/fox.jpeg", FACTS)
    add_to_asset_events({"outlet_events": Events()}, [object()], "s3://books/fox.jpeg", FACTS)

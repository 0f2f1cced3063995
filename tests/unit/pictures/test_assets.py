"""Asset events carry what was made, on a real run: plain assets, aliases, and nothing where there is no outlet."""

from __future__ import annotations

import re

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
        ("s3://books/a#b/fox.jpeg", "s3://books/a%23b/fox.jpeg"),
        ("s3://books/a b?c.jpeg", "s3://books/a%20b%3Fc.jpeg"),
        ("https://cdn.test/fox.jpeg?X-Amz-Signature=s3cret#x", "https://cdn.test/fox.jpeg"),
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


@pytest.mark.parametrize("end", ["x", "狐"])
def test_an_asset_at_a_long_uri_has_a_name_that_fits_and_is_its_own(end):
    events, alias = Events(), AssetAlias("pictures")
    for last in "12":
        add_to_asset_events({"outlet_events": events}, [alias], f"s3://books/{end * 1500}{last}.jpeg", FACTS)
    one, other = (uri for uri, _ in events[alias].added)
    assert one != other
    assert 1498 <= max(len(one), len(other)) <= 1500
    assert end != "x" or len(one) == 1500
    assert all(re.fullmatch("(%[0-9A-F]{2}|[^%])+", uri) for uri in (one, other)), "half of an escaped character"


def test_an_asset_at_the_longest_uri_keeps_it():
    events, alias, uri = Events(), AssetAlias("pictures"), f"s3://books/{'x' * 1489}"
    add_to_asset_events({"outlet_events": events}, [alias], uri, FACTS)
    assert (len(uri), events[alias].added) == (1500, [(uri, FACTS)])


def test_facts_are_told_without_the_query_of_a_url():
    asset, events = Asset("s3://books/fox.jpeg"), Events()
    facts = {"image_url": "https://me:s3cret@cdn.test/a?sig=s3cret", "prompt": "Is it? http it is", "n": 1}
    add_to_asset_events({"outlet_events": events}, [asset], "s3://books/fox.jpeg", facts)
    assert events[asset].extra == {**facts, "image_url": "https://cdn.test/a"}


@pytest.mark.parametrize("uri", ["", "nonsense", "http://[::1", "s3://[x/y", "x" * 5000, "airflow://x"])
def test_nothing_about_an_event_fails_a_task_that_has_paid(uri):
    add_to_asset_events({"outlet_events": Events()}, [AssetAlias("pictures")], uri, FACTS)
    add_to_asset_events({}, [AssetAlias("pictures"), Asset("s3://books/fox.jpeg")], uri, FACTS)

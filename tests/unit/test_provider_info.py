"""What the provider tells Airflow is true, and as Airflow wants it."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import entry_points
from pathlib import Path

import airflow
import jsonschema

from airflow_provider_talecraft.api.address import DEFAULT_BASE_URL
from airflow_provider_talecraft.get_provider_info import get_provider_info
from airflow_provider_talecraft.hooks.settings import ConnectionSettings
from airflow_provider_talecraft.hooks.talecraft import TaleCraftHook
from airflow_provider_talecraft.operators import generate_illustration_batch

INFO = get_provider_info()
CONNECTION = INFO["connection-types"][0]


def load(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_the_info_follows_airflows_schema():
    schema = json.loads((Path(airflow.__path__[0]) / "provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)


def test_airflow_finds_it_by_its_entry_point():
    (point,) = [
        point for point in entry_points(group="apache_airflow_provider") if point.value.startswith("airflow_provider_t")
    ]
    assert point.load() is get_provider_info


def test_every_module_and_class_it_names_is_there():
    for section in ("hooks", "operators"):
        for item in INFO[section]:
            for module in item["python-modules"]:
                importlib.import_module(module)
    for link in INFO["extra-links"]:
        assert load(link)().name == "Illustration"
    for item in INFO["transfers"]:
        importlib.import_module(item["python-module"])
    assert load(CONNECTION["hook-class-name"]) is TaleCraftHook


def test_the_connection_type_is_the_hooks():
    assert CONNECTION["connection-type"] == TaleCraftHook.conn_type
    assert CONNECTION["hook-name"] == TaleCraftHook.hook_name


def test_the_form_has_a_field_for_every_extra_that_is_read_and_no_other():
    read = set(ConnectionSettings.__dataclass_fields__) - {"api_key", "base_url"} | {"allow_http"}
    assert set(CONNECTION["conn-fields"]) == read


def test_the_form_saves_no_defaults_into_connections():
    assert not [field for field in CONNECTION["conn-fields"].values() if "default" in field["schema"]]


def test_the_defaults_that_the_form_mentions_are_the_hooks(connect):
    connect(password="tc-secret")
    settings = TaleCraftHook().settings
    assert f"{settings.connect_timeout:.0f} if empty" in CONNECTION["conn-fields"]["connect_timeout"]["description"]
    assert f"{settings.read_timeout:.0f} if empty" in CONNECTION["conn-fields"]["read_timeout"]["description"]
    assert settings.base_url == CONNECTION["ui-field-behaviour"]["placeholders"]["host"]
    for name, default in (
        ("requests_per_minute", generate_illustration_batch.DEFAULT_REQUESTS_PER_MINUTE),
        ("max_concurrency", generate_illustration_batch.DEFAULT_MAX_CONCURRENCY),
    ):
        assert f"{default} if empty" in CONNECTION["conn-fields"][name]["description"]


def test_the_port_that_the_form_suggests_is_the_default_hosts():
    assert CONNECTION["ui-field-behaviour"]["placeholders"]["port"].startswith("443;")
    assert DEFAULT_BASE_URL.startswith("https://")

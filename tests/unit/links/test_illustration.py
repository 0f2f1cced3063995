"""The link leads to one picture that a browser can show, or there is none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from airflow.providers.common.compat import sdk

from airflow_provider_talecraft.links.illustration import IllustrationLink
from airflow_provider_talecraft.operators.illustration import (
    GenerateIllustrationBatchOperator,
    GenerateIllustrationOperator,
    IllustrationOperator,
)
from airflow_provider_talecraft.transfers.illustration_to_object_storage import (
    IllustrationBatchToObjectStorageOperator,
    IllustrationToObjectStorageOperator,
)

URL = "https://pictures.example/fox.jpeg"
STORED = "s3://aws@books/fox.jpeg"


@pytest.fixture
def link(monkeypatch):
    """Return the link of a task that returned *result*."""

    def of(result, **operator):
        monkeypatch.setattr(sdk.XCom, "get_value", lambda *, ti_key, key: {"return_value": result}[key])
        return IllustrationLink().get_link(SimpleNamespace(**operator), ti_key=None)

    return of


@pytest.mark.parametrize(
    ("operator", "links"),
    [
        (GenerateIllustrationOperator, ["Illustration"]),
        (IllustrationOperator, ["Illustration"]),
        (IllustrationToObjectStorageOperator, ["Illustration"]),
        (GenerateIllustrationBatchOperator, []),
        (IllustrationBatchToObjectStorageOperator, []),
    ],
)
def test_the_operators_of_one_picture_have_it(operator, links):
    assert [extra_link.name for extra_link in operator.operator_extra_links] == links


@pytest.mark.parametrize(
    "result",
    [
        {"image_url": URL},
        {"image_url": URL, "path": STORED},
        {"image_url": "https://pictures.example/other.jpeg", "path": URL},
        {"image_url": "https://pictures.example/other.jpeg", "path": "https://conn_id@pictures.example/fox.jpeg"},
    ],
)
def test_it_leads_to_the_place_if_that_is_a_web_address_else_to_where_it_was_drawn(link, result):
    assert link(result) == URL


@pytest.mark.parametrize("given", [{"image_url": URL}, {"illustration": {"image_url": URL}, "image_url": None}])
def test_a_stored_pictures_leads_to_where_it_was_fetched(link, given):
    assert link({"path": STORED}, **given) == URL


def test_a_signature_is_not_shown(link):
    signed = f"{URL}?X-Amz-Signature=5d41402abc4b2a76b9719d911017c592"
    assert link({"image_url": signed}) == ""
    assert link({"path": STORED}, image_url=signed) == ""


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "s3://books/fox.jpeg",
        "//pictures.example/fox.jpeg",
        "https:///fox.jpeg",
        "https://[pictures/fox.jpeg",
        "https://pictures.example/a fox.jpeg",
        "https://pictures.example/fuchs\u202egpj.exe",
        "{{ conn.talecraft_default.password }}",
        "",
        7,
        None,
        ["https://pictures.example/fox.jpeg"],
    ],
)
def test_nothing_but_a_web_address_is_a_link(link, url):
    assert link({"image_url": url}) == ""


@pytest.mark.parametrize("result", [None, [{"image_url": URL}], {"manifest_path": STORED, "count": 500}, URL, 7])
def test_there_is_none_without_a_picture_or_with_many(link, result):
    assert link(result) == ""

"""The page at /: what it says, and that a prompt cannot do anything on it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import pytest

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> \" ' & </title>"


def test_the_page_tells_how_to_connect_what_is_left_and_what_it_is_not_faithful_about(box):
    box.paint("a fox in the snow")
    response = box.get("/")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    text = html.unescape(response.text)
    line = re.search(r"export AIRFLOW_CONN_TALECRAFT_DEFAULT='(.*)'", text)
    assert json.loads(line[1]) == {
        "conn_type": "talecraft",
        "host": "http://127.0.0.1",
        "port": box.sandbox.port,
        "password": "sandbox-key",
    }
    for told in ("sandbox-key", "<dd>998</dd>", "a fox in the snow", "Rate limits are a guess", "children_book"):
        assert told in text


def test_the_page_tells_what_goes_into_airflows_form(box):
    text = html.unescape(re.sub("<.*?>", "", box.get("/").text))
    (form,) = re.findall(r"Or in Airflow's form,.*?Test button is in\s+the list", text, re.DOTALL)
    for field in (
        "talecraft_default",
        "type\nTaleCraft",
        "host http://127.0.0.1",
        f"port {box.sandbox.port}",
        "API key",
    ):
        assert field in form


@pytest.mark.parametrize("style", ["children_book", EVIL])
def test_a_prompt_is_inert_wherever_it_is_shown(box, style):
    box.generate({"prompt": EVIL, "style": style})
    box.sandbox.fault(message=EVIL)
    box.generate({"prompt": "x"})
    page = box.get("/").text

    assert html.escape(EVIL) in page
    assert "<script" not in page.lower()
    assert "onerror=alert(1)>" not in page


def test_the_policy_forbids_scripts_and_allows_just_the_pages_own_style(box):
    response = box.get("/")
    policy = response.headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    (style,) = re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "style=" not in response.text


def test_the_page_loads_nothing_from_elsewhere(box):
    box.paint()
    page = box.get("/").text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)


def test_a_long_prompt_is_shortened_and_old_pictures_give_way(box):
    box.paint("a long one " + "x" * 5000)
    assert "x" * 200 not in box.get("/").text
    for number in range(13):
        box.paint(f"fox {number}")
    page = box.get("/").text
    assert page.count("<figure") == 12
    assert "a long one" not in page.partition("Latest requests")[0]

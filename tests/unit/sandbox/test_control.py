"""Who may drive the sandbox: whoever sits at this machine, and no web page that is open in a browser on it."""

from __future__ import annotations

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import PATIENCE

from airflow_provider_talecraft.sandbox import Sandbox, addresses

CONTROL_POSTS = ("/sandbox/faults", "/sandbox/release", "/sandbox/reset", "/sandbox/credits")


@pytest.mark.parametrize("path", CONTROL_POSTS)
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_post_that_a_browser_would_send_for_any_page_is_refused(box, path, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = box.post(path, data=b'{"message": "x"}', headers=headers)

    assert response.status_code == 415
    assert "application/json" in response.json()["error"]
    assert box.get("/sandbox/faults").json() == []


def test_no_page_is_told_that_it_may(box):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    preflight = requests.options(f"{box.sandbox.url}/sandbox/reset", headers=asked, timeout=PATIENCE)
    read = box.get("/sandbox/ledger", headers={"Origin": "https://evil.example"})

    for response in (preflight, read):
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("path", ["/", "/sandbox/ledger", "/sandbox/faults"])
def test_a_name_that_was_pointed_at_loopback_does_not_open_the_control_endpoints(box, path):
    assert box.get(path, headers={"Host": "rebound.evil.example"}).status_code == 403
    for host in ("localhost", "talecraft.localhost:80", "127.0.0.1:1", "[::1]:80"):
        assert box.get(path, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("host", "local"),
    [("::ffff:127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("10.0.0.1", False), ("localhost.evil", False)],
)
def test_loopback_is_known_in_all_its_spellings(host, local):
    assert addresses.is_local(host) is local


def test_the_public_urls_host_is_welcome():
    with Sandbox(public_url="https://sandbox.example.com") as sandbox:
        for host, status in (("sandbox.example.com", 200), ("example.com", 403)):
            response = requests.get(f"{sandbox.url}/sandbox/ledger", headers={"Host": host}, timeout=PATIENCE)
            assert response.status_code == status


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=60), path=st.sampled_from(("/sandbox/faults", "/sandbox/credits")))
def test_any_control_body_whatever_is_accepted_or_refused_with_a_sentence(running_sandbox, body, path):
    response = requests.post(
        f"{running_sandbox.url}{path}", body, headers={"Content-Type": "application/json"}, timeout=PATIENCE
    )
    assert response.status_code == 200 or (response.status_code == 400 and response.json()["error"])


def test_a_control_body_over_one_mebibyte_is_refused(box):
    response = box.post("/sandbox/faults", {"body": "x" * 1_100_000})
    assert (response.status_code, "1048576" in response.json()["error"]) == (400, True)

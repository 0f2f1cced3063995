"""How this machine reaches others, as requests would read it from the environment."""

from __future__ import annotations

import ssl

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from airflow_provider_talecraft.api.environment import ca_bundle, proxies, ssl_context
from airflow_provider_talecraft.exceptions import TaleCraftInvalidRequestError


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_the_bundle_is_requests_then_curls_then_certifis(monkeypatch):
    assert ca_bundle() == DEFAULT_CA_BUNDLE_PATH
    monkeypatch.setenv("CURL_CA_BUNDLE", "/curl.pem")
    assert ca_bundle() == "/curl.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/requests.pem")
    assert ca_bundle() == "/requests.pem"


def test_a_bundle_may_be_a_file_or_a_directory_and_its_certificates_are_demanded(certificate, tmp_path):
    assert len(ssl_context(str(certificate.ca)).get_ca_certs()) == 1
    assert ssl_context(str(tmp_path)).get_ca_certs() == []
    for bundle in (certificate.ca, tmp_path):
        assert ssl_context(str(bundle)).verify_mode == ssl.CERT_REQUIRED


def test_a_bundle_that_is_not_there_is_named_with_its_variables(tmp_path):
    with pytest.raises(TaleCraftInvalidRequestError) as caught:
        ssl_context(f"{tmp_path}/nothing.pem")
    assert str(caught.value) == (
        f"The CA bundle '{tmp_path}/nothing.pem' (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE) cannot be read: "
        "No such file or directory. Nothing was sent."
    )


def test_the_proxy_is_the_environments_and_none_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert proxies("https://talescaleai.com/x")["https"] == "http://proxy:3128"
    for host in ("localhost", "127.0.0.1:8765", "[::1]:8765"):
        assert proxies(f"https://{host}/x") == {}
    monkeypatch.setenv("NO_PROXY", "talescaleai.com")
    assert proxies("https://talescaleai.com/x") == {}

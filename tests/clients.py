"""A client with short timeouts, and what it raises."""

from __future__ import annotations

import pytest

from airflow_provider_talecraft import exceptions as errors
from airflow_provider_talecraft.api.client import TaleCraftClient
from airflow_provider_talecraft.api.models import IllustrationRequest

KEY = "tc-key-that-must-not-come-back"
FOX = IllustrationRequest("A fox in the snow", aspect_ratio="16:9")


def client(base_url, *, api_key="sandbox-key", read_timeout=10.0):
    return TaleCraftClient(api_key, base_url=base_url, connect_timeout=2, read_timeout=read_timeout)


def error_from(base_url, **kwargs):
    with pytest.raises(errors.TaleCraftError) as caught:
        client(base_url, **kwargs).generate(FOX)
    return caught.value

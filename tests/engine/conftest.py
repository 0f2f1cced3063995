"""Where no engine can be had, these tests say why, and fail only where somebody requires one."""

from __future__ import annotations

import os

import pytest
from engine import complaint


@pytest.fixture(scope="session")
def engine_can_be_had(request):
    """Skip, unless containers may be started here and can be; with TALECRAFT_ENGINE=required, fail in place of that."""
    asked = os.environ.get("TALECRAFT_ENGINE")
    if not asked and request.config.option.markexpr != "engine":
        pytest.skip("containers are started by -m engine only, or with TALECRAFT_ENGINE set")
    if reason := complaint():
        if asked == "required":
            pytest.fail(reason)
        pytest.skip(reason)

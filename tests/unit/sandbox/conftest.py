"""A sandbox on a real socket, and a caller that is nobody's client: raw HTTP, so that nothing is tested on itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import requests
from patience import PATIENCE, until

from airflow_provider_talecraft.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Caller:
    """Calls one sandbox, each time over a connection of its own."""

    sandbox: Sandbox

    def generate(self, body: Any = None, *, key: str | None = "sandbox-key", **keywords: Any) -> requests.Response:
        headers = {**({} if key is None else {"X-API-Key": key}), **keywords.pop("headers", {})}
        return requests.post(
            f"{self.sandbox.url}/api/v1/generate",
            json=body,
            headers=headers,
            timeout=PATIENCE,
            allow_redirects=False,
            **keywords,
        )

    def paint(self, prompt: str = "a fox") -> dict[str, Any]:
        """Generate, and insist that it worked."""
        answer = self.generate({"prompt": prompt}).json()
        assert answer["code"] == 0, answer
        return answer["data"]

    def get(self, path: str, **keywords: Any) -> requests.Response:
        return requests.get(f"{self.sandbox.url}{path}", timeout=PATIENCE, **keywords)

    def post(self, path: str, body: Any = None, **keywords: Any) -> requests.Response:
        return requests.post(f"{self.sandbox.url}{path}", json=body, timeout=PATIENCE, **keywords)

    def outcomes(self) -> list[str]:
        return [entry["outcome"] for entry in self.sandbox.ledger()["requests"]]


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Wait until a condition is true, and return its value; the test fails if it never is."""

    return partial(until, pause=0.005)


@pytest.fixture
def call() -> type[Caller]:
    """``call(sandbox)`` calls a sandbox that the test has started itself."""
    return Caller


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(latency=0) as sandbox:
        yield sandbox


@pytest.fixture
def box(running_sandbox: Sandbox) -> Iterator[Caller]:
    """A sandbox without latency or limits, as good as new."""
    running_sandbox.reset()
    yield Caller(running_sandbox)
    running_sandbox.reset()

"""``GET /uploads/illustrations/<uuid>.jpeg``: painted when it is asked for, never when it is paid for."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from airflow_provider_talecraft.sandbox.state import State

_KEPT = 32


@lru_cache(maxsize=_KEPT)
def _painted(prompt: str, aspect_ratio: str, seed: int) -> bytes:
    from airflow_provider_talecraft.sandbox.painter import paint  # noqa: PLC0415 - Pillow is slow to load

    return paint(prompt, aspect_ratio, seed=seed)


def pictures(state: State) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint. Public, as the CDN upstream is."""

    async def picture(request: Request) -> Response:
        order = state.ledger.picture(request.path_params["picture"])
        if order is None:
            return PlainTextResponse("There is no such picture.", status_code=404)
        jpeg = await asyncio.to_thread(_painted, order.prompt, order.aspect_ratio, state.settings.seed)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    return picture

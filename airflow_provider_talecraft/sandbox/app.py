"""The routes, and the control endpoints under /sandbox. Starts no server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_provider_talecraft.sandbox import addresses, checks, page, settings
from airflow_provider_talecraft.sandbox.generate import Generate, read_body
from airflow_provider_talecraft.sandbox.pictures import pictures

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from airflow_provider_talecraft.sandbox.state import State


def create_app(state: State) -> Starlette:
    """The service and its control endpoints over one state."""
    control = partial(_guarded, state)
    return Starlette(
        routes=[
            Route("/api/v1/generate", Generate(state), methods=["POST"]),
            Route("/uploads/illustrations/{picture}.jpeg", pictures(state)),
            Route("/sandbox/ledger", control(_ledger)),
            Route("/sandbox/faults", control(_faults), methods=["GET", "POST", "DELETE"]),
            Route("/sandbox/release", control(_release), methods=["POST"]),
            Route("/sandbox/reset", control(_reset), methods=["POST"]),
            Route("/sandbox/credits", control(_credits), methods=["POST"]),
            Route("/", control(_front)),
        ]
    )


def _guarded(
    state: State, handler: Callable[[State, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Keep web pages in the user's browser out.

    A page elsewhere can make a browser send a POST, but not with this Content-Type unless the server agrees, and this
    one never does: it sends no CORS headers.
    """

    async def endpoint(request: Request) -> Response:
        if not addresses.is_welcome(request, state.settings):
            return _complaint(403, "This Host is not the sandbox's: use 127.0.0.1, localhost or its --public-url.")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and content_type != "application/json":
            return _complaint(415, "Send this with Content-Type: application/json.")
        try:
            return await handler(state, request)
        except ValueError as error:
            return _complaint(400, str(error))

    return endpoint


async def _ledger(state: State, _: Request) -> Response:
    return JSONResponse(state.book())


async def _faults(state: State, request: Request) -> Response:
    if request.method == "POST":
        state.faults.add(await _json(request))
    elif request.method == "DELETE":
        state.faults.clear()
    return JSONResponse(state.faults.as_list())


async def _release(state: State, _: Request) -> Response:
    state.delays.release()
    return JSONResponse(state.book())


async def _reset(state: State, _: Request) -> Response:
    state.reset()
    return JSONResponse(state.book())


async def _credits(state: State, request: Request) -> Response:
    wanted = await _json(request)
    if not isinstance(wanted, dict) or set(wanted) != {"credits"} or isinstance(wanted["credits"], str):
        raise ValueError('send {"credits": n}, a whole number')
    state.ledger.set_credits(settings.credits_(wanted["credits"]))
    return JSONResponse({"credits": state.ledger.credits})


async def _front(state: State, request: Request) -> Response:
    host, port = addresses.asked_for(request)
    return HTMLResponse(page.render(state, host, port), headers=page.HEADERS)


async def _json(request: Request) -> Any:
    body = await read_body(request)
    if body is None:
        raise ValueError(f"the body is larger than {checks.MAX_BODY_BYTES} bytes")
    try:
        return checks.parse(body)
    except checks.Refusal as refusal:
        raise ValueError(refusal.message) from refusal


def _complaint(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status)

"""``POST /api/v1/generate``: from arrival to charge to answer.

What is refused is in checks.py, what is scripted in faults.py. A client that goes away does not stop the work, as
upstream: nothing below looks at the connection before the charge.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request

from airflow_provider_talecraft.sandbox import addresses, checks
from airflow_provider_talecraft.sandbox.checks import Refusal
from airflow_provider_talecraft.sandbox.faults import AFTER_CHARGE, Answer, Fault
from airflow_provider_talecraft.sandbox.ledger import PREVIEW_CHARS
from airflow_provider_talecraft.sandbox.wire import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

    from airflow_provider_talecraft.sandbox.ledger import Arrival, Charge
    from airflow_provider_talecraft.sandbox.state import State

TOO_LARGE = f"the request body is larger than {checks.MAX_BODY_BYTES} bytes"
_PATIENCE_BYTES = 8 * checks.MAX_BODY_BYTES
_PATIENCE_SECONDS = 5.0


class Generate:
    """The endpoint, as plain ASGI: it needs to know whether an answer got out."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        arrival = self._state.ledger.arrive()
        visit = _Visit(self._state, request, send, arrival)
        with _told(arrival):
            body = await read_body(request)
            await visit.run(body)
            if body is None:
                await _read_on(request)
                await send({"type": "http.response.body", "body": b""})


class _Visit:
    """One request. A reset of the sandbox while it runs does not move it to the new ledger."""

    def __init__(self, state: State, request: Request, send: Send, arrival: Arrival) -> None:
        self._settings = state.settings
        self._ledger, self._limits = state.ledger, state.limits
        self._faults, self._delays = state.faults, state.delays
        self._request = request
        self._connection = Connection.of(request.scope)
        self._send = send
        self._arrival = arrival
        self._more_body = False
        self._interim: tuple[int, ...] = ()

    async def run(self, body: bytes | None) -> None:
        """:param body: None if it is too large."""
        self._more_body = body is None
        payload = _payload(body)
        prompt = checks.prompt_of(payload)
        self._arrival.prompt = prompt and prompt[:PREVIEW_CHARS]
        fault = self._faults.take(prompt) or Fault()
        self._interim = fault.interim
        try:
            if fault.charged:
                await self._serve(payload, fault)
            else:
                await self._delays.wait(fault.delay_before_charge + fault.delay_after_charge)
                await self._act_out(fault)
        except Refusal as refusal:
            await self._refuse(refusal)

    async def _serve(self, payload: Any, fault: Fault) -> None:
        checks.check_key(self._request.headers.get("x-api-key"), self._settings.api_keys)
        with self._limits.seat():
            if isinstance(payload, Refusal):
                raise payload
            order = checks.read_order(payload)
            with self._ledger.reserve() as reservation:
                if reservation is None:
                    raise Refusal("insufficient credits")
                await asyncio.sleep(self._settings.latency)
                await self._delays.wait(fault.delay_before_charge)
                charge = reservation.charge(order, addresses.base_url(self._request, self._settings))
            await self._delays.wait(fault.delay_after_charge)
            if fault.drop == AFTER_CHARGE or fault.truncate is not None or fault.answer():
                await self._act_out(fault, charge)
            else:
                await self._deliver(charge, fault)

    async def _deliver(self, charge: Charge, fault: Fault) -> None:
        charge.answered = await self._answer(_success(charge, fault))
        if charge.answered:
            self._arrival.end("delivered", "ok")
        else:
            self._arrival.end("lost", "the client was gone; charged")

    async def _refuse(self, refusal: Refusal) -> None:
        headers = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
        self._arrival.end("refused", refusal.message)
        envelope = {"code": -1, "message": refusal.message}
        await self._answer(Answer.of_json(envelope, status=refusal.status, headers=headers))

    async def _act_out(self, fault: Fault, charge: Charge | None = None) -> None:
        self._arrival.end("dropped" if fault.drop else "faulted", fault.describe())
        if fault.drop:
            self._connection.cut()
            await self._connection.gone()
        elif charge is not None and fault.truncate is not None:
            await self._answer(_success(charge, fault), cut_after=fault.truncate)
            self._connection.close()
            await self._connection.gone()
        elif answer := fault.answer():
            await self._answer(answer)

    async def _answer(self, answer: Answer, *, cut_after: int | None = None) -> bool:
        """Send it; whether all of it was handed to the socket of a client that was still there."""
        headers = dict(answer.headers)
        if answer.status not in (204, 304):
            headers["content-length"] = str(len(answer.body))
        if self._more_body:
            headers["connection"] = "close"
        still_there = self._connection.open
        for status in self._interim:
            self._connection.send_interim(status)
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        unfinished = self._more_body or cut_after is not None
        body = answer.body if cut_after is None else answer.body[:cut_after]
        await self._send({"type": "http.response.body", "body": body, "more_body": unfinished})
        return still_there


async def read_body(request: Request) -> bytes | None:
    """The body, or None as soon as it is known to be too large; then the rest of it is left unread.

    :raises ClientDisconnect: if the client goes away before its end.
    """
    announced = request.headers.get("content-length", "0")
    if len(announced) > len(str(checks.MAX_BODY_BYTES)) or int(announced) > checks.MAX_BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > checks.MAX_BODY_BYTES:
            return None
    return bytes(body)


async def _read_on(request: Request) -> None:
    """Let a client that is busy sending see the answer: closing at once would reset its connection."""
    left = _PATIENCE_BYTES

    async def discard() -> None:
        nonlocal left
        while left > 0:
            message = await request.receive()
            left -= len(message.get("body", b""))
            if not message.get("more_body", False):
                return

    try:
        await asyncio.wait_for(discard(), _PATIENCE_SECONDS)
    except asyncio.TimeoutError:  # its own class on Python 3.10
        return


@contextmanager
def _told(arrival: Arrival) -> Iterator[None]:
    """Tell the ledger of a request that ends without an answer, too."""
    try:
        yield
    except ClientDisconnect:
        arrival.end("lost", "the client went away before its request was complete")
    except asyncio.CancelledError:
        arrival.end("dropped", "the sandbox was stopped")
        raise


def _payload(body: bytes | None) -> Any:
    """The parsed body; a Refusal in its place, because the checks of the key come first."""
    if body is None:
        return Refusal(TOO_LARGE, status=413)
    try:
        return checks.parse(body)
    except Refusal as refusal:
        return refusal


def _success(charge: Charge, fault: Fault) -> Answer:
    data = {"id": charge.id, "status": "success", "image_url": charge.image_url}
    headers = {name.lower(): value for name, value in fault.headers.items()}
    return Answer.of_json({"code": 0, "message": "ok", "data": data}, headers=headers)

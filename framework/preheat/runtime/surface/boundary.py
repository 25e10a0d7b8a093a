"""The edge of one request: gives it an id, and turns whatever is raised inside into a problem document."""

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preheat.errors import BodyTooLarge, BodyTooSlow, RequestError
from preheat.interface.message import Response
from preheat.interface.problem import problem_response
from preheat.runtime.failures import failed_inside
from preheat.runtime.metrics import Outcome
from preheat.runtime.requests import Incoming
from preheat.runtime.surface.incoming import KEY, ClientLeft
from preheat.runtime.surface.outgoing import send_response
from preheat.runtime.telemetry import KEY as EXCHANGE
from preheat.runtime.telemetry import Exchange, Telemetry

LINGER_S = 1.0
"""How long the rest of a refused upload is read and thrown away.

Closing at once would reset the connection while the client still sends, and the reset
overtakes the answer that says why (nginx calls the cure lingering_close). Only the
server knows whether a connection closes behind its answer: in a drain each does.
"""

REFUSAL = "preheat.refusal"
"""Where a route may leave, in the ASGI scope, how its protocol writes an error; else a problem document."""

log = logging.getLogger("preheat.surface")


class Boundary:
    """ASGI middleware around everything that serves a request."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; its answer carries x-request-id, and a failure becomes a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[KEY] = found = Incoming.read(scope["headers"])
        scope[EXCHANGE] = exchange = self._telemetry.begin(scope, found.id, found.headers)
        outcome: Outcome | None = "cancelled"  # unless it ends in one of the ways below
        try:
            outcome = await self._serve(scope, receive, send, found.id, exchange)
        finally:
            exchange.finish(outcome)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, exchange: Exchange
    ) -> Outcome | None:
        """Return how it ended, None where the status says it."""
        id_header = (b"x-request-id", request_id.encode("latin-1"))
        unread = True  # until the end of the body has been received

        async def receive_noting() -> Message:
            nonlocal unread
            message = await receive()
            unread = message.get("more_body", False)
            return message

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message["headers"], id_header]
            else:
                exchange.bytes_out += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive_noting, send_with_id)
            return None
        except ClientLeft:
            return "cancelled"
        except Exception as error:  # noqa: BLE001 - one request: its failure may reach neither the client nor the next
            failure = as_request_error(error, request_id, started=exchange.status is not None)
        # Of an answer that has begun, the missing end is the only sign left: the server cuts the connection.
        if exchange.status is not None:
            return "failed"
        answer = scope.get(REFUSAL, problem_response)(failure, request_id=request_id)
        if unread:
            await _refuse(failure, answer, receive, send_with_id)
        else:
            await send_response(answer, send_with_id)
        return None


def as_request_error(error: Exception, request_id: str, *, started: bool) -> RequestError:
    """Return what the caller is told of `error`; what is none of the caller's business is logged."""
    if isinstance(error, RequestError) and not started:
        return error
    log.error("request failed", exc_info=error, extra={"request_id": request_id})
    return failed_inside()


async def _refuse(error: RequestError, answer: Response, receive: Receive, send: Send) -> None:
    """Send `answer` while the body may still be on its way, and linger."""
    closing = [(b"connection", b"close")] if isinstance(error, BodyTooLarge | BodyTooSlow) else []

    async def send_and_linger(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send({**message, "headers": [*message["headers"], *closing]})
            return
        await send({**message, "more_body": True})
        await _discard(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    await send_response(answer, send_and_linger)


async def _discard(receive: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER_S):
            while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
                pass
    except TimeoutError:
        return

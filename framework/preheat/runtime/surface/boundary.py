"""The edge of one request: gives it an id, and turns whatever is raised inside into a problem document."""

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preheat.errors import BodyTooLarge, BodyTooSlow, RequestError
from preheat.interface.message import Response
from preheat.interface.problem import problem_response
from preheat.runtime.surface.incoming import KEY, ClientLeft, Incoming
from preheat.runtime.surface.outgoing import send_response

LINGER_S = 1.0
"""How long a refused upload is read on and thrown away.

Closing at once would reset the connection while the client still sends, and the reset
overtakes the answer that says why (nginx calls the cure lingering_close).
"""

REFUSAL = "preheat.refusal"
"""Where a route may leave, in the ASGI scope, how its protocol writes an error; else a problem document."""

log = logging.getLogger("preheat.surface")


class Boundary:
    """ASGI middleware around everything that serves a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; its answer carries x-request-id, and a failure becomes a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[KEY] = found = Incoming.read(scope["headers"])
        id_header = (b"x-request-id", found.id.encode("latin-1"))
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], id_header]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
            return
        except ClientLeft:
            return
        except Exception as error:  # noqa: BLE001 - one request: its failure may reach neither the client nor the next
            failure = _as_request_error(error, found.id, started=started)
        # Of an answer that has begun, the missing end is the only sign left: the server cuts the connection.
        if not started:
            answer = scope.get(REFUSAL, problem_response)(failure, request_id=found.id)
            await _refuse(failure, answer, receive, send_with_id)


def _as_request_error(error: Exception, request_id: str, *, started: bool) -> RequestError:
    if isinstance(error, RequestError) and not started:
        return error
    log.error("request failed", exc_info=error, extra={"request_id": request_id})
    return RequestError("The request failed inside the server, whose log has the details under its id.")


async def _refuse(error: RequestError, answer: Response, receive: Receive, send: Send) -> None:
    if not isinstance(error, BodyTooLarge | BodyTooSlow):
        await send_response(answer, send)
        return

    async def send_and_linger(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send({**message, "headers": [*message["headers"], (b"connection", b"close")]})
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

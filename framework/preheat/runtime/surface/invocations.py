"""POST /invocations: one inference. A bare ASGI endpoint, because this is the hot path."""

from starlette.types import Receive, Scope, Send

from preheat.interface.message import Request
from preheat.runtime.requests import ROUTES, Incoming, check_whole, inference
from preheat.runtime.surface.incoming import ClientLeft, incoming, read_body
from preheat.runtime.surface.leaving import ClientWatch
from preheat.runtime.surface.outgoing import send_response
from preheat.runtime.surface.settings import Settings
from preheat.runtime.telemetry import Exchange, exchange_of

ROUTE = ROUTES[0]
"""What metrics and logs call it, whichever path it came by."""


class Invocations:
    """Reads one request within limits, lets the engine answer, and stops it when the client leaves."""

    def __init__(self, settings: Settings) -> None:
        self.engine = settings.engine
        self._limits = settings.limits
        self._authenticate = settings.authenticate
        self._body_s = settings.body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises RequestError for what the engine never gets to see."""
        exchange = exchange_of(scope)
        exchange.enter(ROUTE, scope)
        found = incoming(scope)
        self._authenticate(found.headers)
        body = await read_body(receive, found.headers, limit=self._limits.body_bytes, within_s=self._body_s)
        async with ClientWatch(receive) as client:
            response = await self.engine.invoke(self._request(found, body, exchange))
            exchange.answered(response)
            await send_response(response, send)
        if client.left:
            raise ClientLeft

    def admit(self, found: Incoming, body: bytes, exchange: Exchange) -> Request:
        """Return the request for the engine, whose body is here already. Raises RequestError."""
        self._authenticate(found.headers)
        check_whole(found.headers, body, self._limits.body_bytes)
        return self._request(found, body, exchange)

    def _request(self, found: Incoming, body: bytes, exchange: Exchange) -> Request:
        exchange.bytes_in = len(body)
        return exchange.propagate(inference(found, body, self._limits))

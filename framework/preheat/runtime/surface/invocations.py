"""POST /invocations: one inference. A bare ASGI endpoint, because this is the hot path."""

from collections.abc import Callable, Mapping

from starlette.types import Receive, Scope, Send

from preheat.interface.manifest import Limits
from preheat.interface.message import Engine
from preheat.runtime.metrics import Metrics, Tracked
from preheat.runtime.surface.incoming import ClientLeft, incoming, inference, read_body
from preheat.runtime.surface.leaving import ClientWatch
from preheat.runtime.surface.outgoing import send_response

ROUTE = "/invocations"

Authenticate = Callable[[Mapping[str, str]], None]
"""Raises Unauthorized unless the headers, by lower-case name, carry a right token."""


class Invocations:
    """Reads one request within limits, lets the engine answer, and stops it when the client leaves."""

    def __init__(
        self, *, engine: Engine, limits: Limits, metrics: Metrics, authenticate: Authenticate, body_s: float
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._metrics = metrics
        self._authenticate = authenticate
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises RequestError for what the engine never gets to see."""
        with self._metrics.track(ROUTE) as tracked:
            try:
                await self._answer(scope, receive, send, tracked)
            except ClientLeft:
                tracked.status = None

    async def _answer(self, scope: Scope, receive: Receive, send: Send, tracked: Tracked) -> None:
        found = incoming(scope)
        self._authenticate(found.headers)
        body = await read_body(receive, found.headers, limit=self._limits.body_bytes, within_s=self._body_s)
        request = inference(found, body, self._limits)
        async with ClientWatch(receive) as client:
            response = await self._engine.invoke(request)
            self._metrics.observe_answer(response.status, response.headers)
            tracked.status = response.status
            await send_response(response, send)
        if client.left:
            raise ClientLeft

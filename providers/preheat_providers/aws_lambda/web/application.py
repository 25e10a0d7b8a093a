"""All of HTTP but the hot path: the surface, carried by Mangum. Importing this imports FastAPI.

A function that is only asked for inferences never does; the first other request pays for it, and a
SnapStart snapshot has it already.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from mangum import Mangum
from starlette.types import ASGIApp, Receive, Scope, Send

from preheat.interface.manifest import Limits
from preheat.interface.message import Engine, Request, Response
from preheat.runtime.metrics import Metrics
from preheat.runtime.surface.app import build_app
from preheat_providers.aws_lambda.web.proxy import TEXT_TYPES, Answer, Event, fitting

ID_HEADER = b"x-request-id"


class Circuit(Engine, Protocol):
    """An engine behind a circuit."""

    @property
    def circuit_open(self) -> bool:
        """Whether the model counts as failing."""
        ...


class Hurried:
    """An engine whose requests end within what `left_s` says is left of the event."""

    def __init__(self, engine: Engine, left_s: Callable[[], float]) -> None:
        self._engine = engine
        self._left_s = left_s

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken."""
        return self._engine.ready

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        left_s = max(0.0, self._left_s())
        timeout_s = left_s if request.timeout_s is None else min(request.timeout_s, left_s)
        return await self._engine.invoke(replace(request, timeout_s=timeout_s))


def web_application(
    engine: Circuit,
    document: Mapping[str, Any],
    *,
    name: str,
    version: str,
    limits: Limits,
    authenticate: Callable[[Mapping[str, str]], None],
    left_s: Callable[[], float],
) -> Callable[[Event, Any], Answer]:
    """Return what answers events that are requests over HTTP; the arguments are those of build_app."""
    app = build_app(
        engine=Hurried(engine, left_s),
        document=document,
        name=name,
        version=version,
        limits=limits,
        jobs=None,
        metrics=Metrics(circuit_open=lambda: engine.circuit_open),
        authenticate=authenticate,
    )
    adapter = Mangum(_identified(app), lifespan="off", text_mime_types=[*TEXT_TYPES])
    return lambda event, context: fitting(event, adapter(dict(event), context))


def _identified(app: ASGIApp) -> ASGIApp:
    """Give requests that have no id the one that the function's own log lines carry."""

    async def identified(scope: Scope, receive: Receive, send: Send) -> None:
        if all(name != ID_HEADER for name, _ in scope["headers"]):
            request_id = scope["aws.context"].aws_request_id.encode()
            scope["headers"] = [*scope["headers"], (ID_HEADER, request_id)]
        await app(scope, receive, send)

    return identified

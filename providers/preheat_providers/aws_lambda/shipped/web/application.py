"""All of HTTP but the hot path: the surface, carried by Mangum. Importing this imports FastAPI.

A function that is only asked for inferences never does; the first other request pays for it, and a
SnapStart snapshot has it already.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from mangum import Mangum
from starlette.types import ASGIApp, Receive, Scope, Send

from preheat.interface.body import encode_body
from preheat.interface.message import JSON_TYPE, Engine, Request, Response
from preheat.runtime.jobs import Jobs
from preheat.runtime.loader import Model
from preheat.runtime.metrics import Metrics
from preheat.runtime.requests import Incoming
from preheat.runtime.surface.app import build_app
from preheat.runtime.surface.settings import Settings
from preheat_providers.aws_lambda.shipped.context import LambdaContext, left_s
from preheat_providers.aws_lambda.shipped.web.proxy import TEXT_TYPES, Answer, Event, fitting

ID_HEADER = b"x-request-id"


class Circuit(Engine, Protocol):
    """An engine behind a circuit."""

    @property
    def circuit_open(self) -> bool:
        """Whether the model counts as failing."""
        ...


class Hurried:
    """An engine whose requests end within what `context` says is left of the event."""

    context: LambdaContext

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken."""
        return self._engine.ready

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        time_s = max(0.0, left_s(self.context))
        timeout_s = time_s if request.timeout_s is None else min(request.timeout_s, time_s)
        return await self._engine.invoke(replace(request, timeout_s=timeout_s))


def web_application(
    engine: Circuit,
    model: Model,
    *,
    name: str,
    version: str,
    learned: Path,
    authenticate: Callable[[Mapping[str, str]], None],
    jobs: Jobs | None,
) -> Callable[[Event, LambdaContext], Answer]:
    """Return what answers events that are requests over HTTP, for `engine`, which runs `model`.

    `learned` is the contract document of the build, where the handler could run there.
    """
    hurried = Hurried(engine)
    settings = Settings(
        engine=hurried,
        document=_document(model, learned),
        name=name,
        version=version,
        limits=model.limits,
        jobs=jobs,
        metrics=Metrics(circuit_open=lambda: engine.circuit_open),
        authenticate=authenticate,
    )
    adapter = Mangum(_Identified(build_app(settings)), lifespan="off", text_mime_types=[*TEXT_TYPES])

    def answer(event: Event, context: LambdaContext) -> Answer:
        hurried.context = context
        return fitting(event, adapter(dict(event), context))  # type: ignore[arg-type]

    return answer


def _document(model: Model, learned: Path) -> Mapping[str, Any]:
    """Return the contract document with its examples, and with the answers to them if they are known."""
    if learned.is_file():
        document: Mapping[str, Any] = json.loads(learned.read_bytes())
        return document
    examples = [encode_body(model.contract.input, each, JSON_TYPE)[1] for each in model.handler.examples()]
    return {**model.contract.document(), "examples": [json.loads(each) for each in examples]}


class _Identified:
    """Gives requests that have no id the one that the function's own log lines carry."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = Incoming.read(scope["headers"], scope["aws.context"].aws_request_id)
        others = [(name, value) for name, value in scope["headers"] if name != ID_HEADER]
        scope["headers"] = [*others, (ID_HEADER, found.id.encode())]
        await self._app(scope, receive, send)

"""The protocol's routes over an engine, which gets the same requests as from /invocations."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

import preheat
from preheat.errors import NotFound, NotOffered, RequestError, Unavailable
from preheat.interface.manifest import Limits
from preheat.interface.message import Engine, Request, Response
from preheat.runtime.metrics import Metrics, Tracked
from preheat.runtime.surface.boundary import REFUSAL
from preheat.runtime.surface.incoming import ClientLeft, incoming, inference, read_body
from preheat.runtime.surface.inference.mapping import Mapped
from preheat.runtime.surface.inference.protocol import LENGTH_HEADER, read_infer, refusal, write_infer
from preheat.runtime.surface.invocations import Authenticate
from preheat.runtime.surface.leaving import ClientWatch
from preheat.runtime.surface.outgoing import send_response

ROUTE = "/v2/models/{name}/infer"
ITEMS_AT_ONCE = 8
"""How many items of one request run at once, where the handler's own batches are not larger."""


class _Refused(Exception):
    """The engine answered one item with an error."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class Inference:
    """What the routes share: one model of one version."""

    def __init__(
        self, *, engine: Engine, document: Mapping[str, Any], name: str, version: str, limits: Limits,
        metrics: Metrics, authenticate: Authenticate, body_s: float,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._mapped = Mapped(document)
        self._stream = bool(document.get("stream"))
        self._at_once = max(ITEMS_AT_ONCE, (document.get("batching") or {}).get("max_size", 1))
        self._name, self._version = name, version
        self._limits = limits
        self._metrics = metrics
        self._authenticate = authenticate
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer POST .../infer. Raises RequestError, which the boundary writes as the protocol does."""
        scope[REFUSAL] = refusal
        with self._metrics.track(ROUTE) as tracked:
            try:
                await self._answer(scope, receive, send, tracked)
            except ClientLeft:
                tracked.status = None

    async def live(self, _: HttpRequest) -> HttpResponse:
        """Answer while the process lives."""
        return JSONResponse({"live": True})

    async def ready(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 where a request would be taken, for the server and for the model."""
        request.scope[REFUSAL] = refusal
        self._check_name(request.scope)
        if not self._engine.ready:
            raise Unavailable("Not ready: no request would be taken now.", retry_after_s=1.0)
        return JSONResponse({"name": self._name, "ready": True})

    async def server(self, _: HttpRequest) -> HttpResponse:
        """Describe the server."""
        return JSONResponse(
            {"name": "preheat", "version": preheat.__version__, "extensions": ["binary_tensor_data"]}
        )

    async def model(self, request: HttpRequest) -> HttpResponse:
        """Describe the model."""
        request.scope[REFUSAL] = refusal
        self._check_name(request.scope)
        return JSONResponse(
            {
                "name": self._name,
                "versions": [self._version],
                "platform": "preheat",
                "inputs": [field.describe() for field in self._mapped.input.fields],
                "outputs": [field.describe() for field in self._mapped.output.fields],
            }
        )

    async def _answer(self, scope: Scope, receive: Receive, send: Send, tracked: Tracked) -> None:
        found = incoming(scope)
        self._authenticate(found.headers)
        self._check_name(scope)
        if self._stream:
            raise NotOffered("This handler streams its answer; use POST /invocations.")
        body = await read_body(receive, found.headers, limit=self._limits.body_bytes, within_s=self._body_s)
        asked = read_infer(body, found.headers.get(LENGTH_HEADER), depth=self._limits.depth)
        calls, many = self._mapped.calls(asked.inputs)
        # An output that there is not is the caller's mistake: say so before the model runs.
        self._check_outputs(asked.wanted)
        common = replace(inference(found, b"", self._limits), accept=self._mapped.accept)
        requests = [
            replace(common, body=part, content_type=kind, id=f"{found.id}-{number}" if number else found.id)
            for number, (kind, part) in enumerate(calls)
        ]
        async with ClientWatch(receive) as client:
            try:
                answers = await self._invoke(requests)
            except _Refused as refused:
                answer = _in_protocol(refused.answer)
            else:
                outputs = self._mapped.outputs(answers, stacked=many)
                kind, headers, text = write_infer(asked, outputs, name=self._name, version=self._version)
                answer = Response(content_type=kind, headers={**answers[0].headers, **headers}, body=text)
            tracked.status = answer.status
            await send_response(answer, send)
        if client.left:
            raise ClientLeft

    async def _invoke(self, requests: list[Request]) -> list[Response]:
        """Return the answers in order. Raises _Refused for the first that fails; the others are cancelled."""
        free = asyncio.Semaphore(self._at_once)

        async def one(request: Request) -> Response:
            async with free:
                answer = await self._engine.invoke(request)
            self._metrics.observe_answer(answer.status, answer.headers)
            if answer.status >= 400:
                raise _Refused(answer)
            return answer

        if len(requests) == 1:
            return [await one(requests[0])]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(request)) for request in requests]
        except* _Refused as refused:
            first = refused.exceptions[0]
        else:
            return [task.result() for task in tasks]
        raise first

    def _check_name(self, scope: Scope) -> None:
        path = scope.get("path_params", {})
        if unquote(path.get("name", self._name)) != self._name:
            raise NotFound(f"There is no model {path['name'][:100]!r}; this is {self._name!r}.")
        if unquote(path.get("version", self._version)) != self._version:
            raise NotFound(f"There is no version {path['version'][:100]!r}; this is {self._version!r}.")

    def _check_outputs(self, wanted: Mapping[str, bool]) -> None:
        known = [field.name for field in self._mapped.output.fields]
        if unknown := [name for name in wanted if name not in known]:
            raise preheat.BadInput(f"There is no output {unknown[0]!r}; there are {', '.join(known)}.")


def inference_routes(shared: Inference) -> list[Route]:
    """Return the routes; as elsewhere, only what runs the model wants the token."""
    routes = [
        Route("/v2", shared.server, methods=["GET"]),
        Route("/v2/health/live", shared.live, methods=["GET"]),
        Route("/v2/health/ready", shared.ready, methods=["GET"]),
    ]
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        routes += [
            Route(path, shared.model, methods=["GET"]),
            Route(f"{path}/ready", shared.ready, methods=["GET"]),
            Route(f"{path}/infer", shared, methods=["POST"]),
        ]
    return routes


def _in_protocol(answer: Response) -> Response:
    """Return the engine's problem document as the protocol writes an error."""
    problem = json.loads(answer.body)
    details = [f"{error['pointer']}: {error['detail']}" for error in problem.get("errors", [])]
    text = json.dumps({"error": " ".join([problem.get("detail") or RequestError.title, *details[1:]])})
    return Response(status=answer.status, body=text.encode(), headers=answer.headers)

"""The protocol's REST routes over a model."""

from dataclasses import asdict

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

import preheat
from preheat.errors import Unavailable
from preheat.interface.manifest import Limits
from preheat.interface.message import Response
from preheat.runtime.inference.model import PLATFORM, InferenceModel, Refused, aside
from preheat.runtime.requests import Incoming, inference
from preheat.runtime.surface.boundary import REFUSAL
from preheat.runtime.surface.incoming import ClientLeft, incoming, read_body
from preheat.runtime.surface.inference.protocol import (
    LENGTH_HEADER,
    error_body,
    read_infer,
    refusal,
    write_infer,
)
from preheat.runtime.surface.leaving import ClientWatch
from preheat.runtime.surface.outgoing import send_response
from preheat.runtime.surface.settings import Authenticate
from preheat.runtime.telemetry import Exchange, exchange_of

ROUTE = "/v2/models/{name}/infer"


class Inference:
    """What the routes share. A body must be complete within `body_s`."""

    def __init__(
        self, model: InferenceModel, *, limits: Limits, authenticate: Authenticate, body_s: float
    ) -> None:
        self._model = model
        self._limits = limits
        self._authenticate = authenticate
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer POST .../infer. Raises RequestError, which the boundary writes as the protocol does."""
        scope[REFUSAL] = refusal
        exchange = exchange_of(scope)
        exchange.enter(ROUTE, scope)
        found = incoming(scope)
        self._authenticate(found.headers)
        self._check_name(scope)
        self._model.check_offered()
        body = await read_body(receive, found.headers, limit=self._limits.body_bytes, within_s=self._body_s)
        exchange.bytes_in = len(body)
        async with ClientWatch(receive) as client:
            await send_response(await self._answer(found, body, exchange), send)
        if client.left:
            raise ClientLeft

    async def live(self, _: HttpRequest) -> HttpResponse:
        """Answer while the process lives."""
        return JSONResponse({"live": True})

    async def ready(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 where a request would be taken, for the server and for the model."""
        self._check_name(request.scope)
        if not self._model.ready:
            raise Unavailable("Not ready: no request would be taken now.", retry_after_s=1.0)
        return JSONResponse({"name": self._model.name, "ready": True})

    async def server(self, _: HttpRequest) -> HttpResponse:
        """Describe the server."""
        return JSONResponse(
            {"name": PLATFORM, "version": preheat.__version__, "extensions": ["binary_tensor_data"]}
        )

    async def metadata(self, request: HttpRequest) -> HttpResponse:
        """Describe the model."""
        self._check_name(request.scope)
        return JSONResponse(
            {
                "name": self._model.name,
                "versions": [self._model.version],
                "platform": PLATFORM,
                "inputs": [asdict(each) for each in self._model.inputs],
                "outputs": [asdict(each) for each in self._model.outputs],
            }
        )

    async def _answer(self, found: Incoming, body: bytes, exchange: Exchange) -> Response:
        length, depth = found.headers.get(LENGTH_HEADER), self._limits.depth
        asked = await aside(len(body), lambda: read_infer(body, length, depth=depth))
        try:
            common = exchange.propagate(inference(found, b"", self._limits))
            inferred = await self._model.infer(asked.inputs, list(asked.wanted), common, exchange.answered)
        except Refused as refused:
            told = refused.answer
            return Response(status=told.status, body=error_body(refused.reason), headers=told.headers)
        sizes = sum(len(tensor.raw) for tensor in inferred.outputs)
        kind, headers, text = await aside(
            sizes,
            lambda: write_infer(asked, inferred.outputs, name=self._model.name, version=self._model.version),
        )
        return Response(content_type=kind, headers={**inferred.headers, **headers}, body=text)

    def _check_name(self, scope: Scope) -> None:
        scope[REFUSAL] = refusal
        path = scope["path_params"]
        if "name" in path:
            self._model.check_name(path["name"], path.get("version", ""))


def inference_routes(shared: Inference) -> list[Route]:
    """Return the routes; as elsewhere, only what runs the model wants the token."""
    routes = [
        Route("/v2", shared.server, methods=["GET"]),
        Route("/v2/health/live", shared.live, methods=["GET"]),
        Route("/v2/health/ready", shared.ready, methods=["GET"]),
    ]
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        routes += [
            Route(path, shared.metadata, methods=["GET"]),
            Route(f"{path}/ready", shared.ready, methods=["GET"]),
            Route(f"{path}/infer", shared, methods=["POST"]),
        ]
    return routes

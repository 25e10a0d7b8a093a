"""Wires the surface: one application over one engine. Reads the page templates, opens nothing else."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Match, Route

from preheat.errors import BadInput, MethodNotAllowed, NotFound
from preheat.interface.manifest import Limits
from preheat.interface.message import Engine
from preheat.runtime.access import AccessLog
from preheat.runtime.inference.model import InferenceModel
from preheat.runtime.jobs import Jobs
from preheat.runtime.metrics import Metrics
from preheat.runtime.surface.boundary import REFUSAL, Boundary
from preheat.runtime.surface.direct import DirectInvocations
from preheat.runtime.surface.documents import document_routes
from preheat.runtime.surface.health import health_routes
from preheat.runtime.surface.incoming import incoming
from preheat.runtime.surface.inference import Inference, inference_routes, refusal
from preheat.runtime.surface.invocations import ROUTE, Authenticate, Invocations
from preheat.runtime.surface.jobs import JobRoutes
from preheat.runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from preheat.runtime.spans import Tracing

Exposition = Callable[[], Awaitable[tuple[str, bytes]]]
"""Returns a media type and the Prometheus text of that type."""


def build_app(
    *,
    engine: Engine,
    document: Mapping[str, Any],
    name: str,
    version: str,
    limits: Limits,
    jobs: Jobs | None,
    metrics: Metrics,
    authenticate: Authenticate,
    body_s: float = 60.0,
    access: AccessLog | None = None,
    tracing: "Tracing | None" = None,
    exposition: Exposition | None = None,
) -> FastAPI:
    """Return the application that serves `engine` under the routes of docs/http.md.

    `document` is the handler's contract document. `authenticate` guards what runs the model or
    shows its traffic: /invocations, /predict, /jobs and /metrics. A body must be complete within `body_s`.
    `access` and `tracing` stay the caller's, who closes them after the last request. `exposition`
    answers /metrics in place of `metrics`, where these are not all there is.
    """
    invocations = Invocations(engine=engine, limits=limits, authenticate=authenticate, body_s=body_s)
    protocol = Inference(
        InferenceModel(engine=engine, document=document, name=name, version=version),
        limits=limits,
        authenticate=authenticate,
        body_s=body_s,
    )
    job_routes = JobRoutes(jobs=jobs, limits=limits, body_s=body_s)

    telemetry = Telemetry(metrics, access=access, tracing=tracing)

    async def guard(request: Request) -> None:
        authenticate(incoming(request.scope).headers)

    guards = [Depends(guard)]
    app = FastAPI(
        title=name,
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Boundary, telemetry=telemetry)],
        exception_handlers={HTTPException: _translate},
        # The router takes the first that matches: the hot path pays for nothing before it.
        routes=[
            *(Route(path, invocations, methods=["POST"]) for path in (ROUTE, "/predict")),
            *health_routes(engine),
            *document_routes(
                document=document, name=name, version=version, limits=limits, jobs=jobs is not None
            ),
            *job_routes.routes(guards),
            *inference_routes(protocol),
            APIRoute(
                "/metrics",
                _metrics_endpoint(exposition or _own(metrics)),
                methods=["GET"],
                dependencies=guards,
            ),
        ],
    )
    app.state.direct = DirectInvocations(invocations, telemetry)
    return app


def _own(metrics: Metrics) -> Exposition:
    async def render() -> tuple[str, bytes]:
        return metrics.render()

    return render


def _metrics_endpoint(exposition: Exposition) -> Callable[[], Awaitable[Response]]:
    async def render() -> Response:
        media_type, text = await exposition()
        return Response(text, headers={"content-type": media_type})

    return render


async def _translate(request: Request, error: Exception) -> Response:
    """Raise what the router says as our own error, for the boundary to answer."""
    assert isinstance(error, HTTPException)
    method, path = request.method[:20], request.url.path[:200]
    if path.startswith("/v2/"):
        request.scope[REFUSAL] = refusal
    if error.status_code == 404:
        raise NotFound(f"There is no {path}. POST to {ROUTE}; /docs lists every route.") from error
    if error.status_code == 405:
        allow = _methods(request)
        raise MethodNotAllowed(
            f"{path} does not take {method}. Use {' or '.join(allow)}.", allow=allow
        ) from error
    raise BadInput(str(error.detail)) from error


def _methods(request: Request) -> list[str]:
    """Return every method that the path takes: the router itself names those of its first match only."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)

"""Wires what FastAPI serves: every route of one surface. Reads the page templates, opens nothing else."""

from fastapi import FastAPI, Request
from fastapi.params import Depends
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Match, Route

from preheat.errors import BadInput, MethodNotAllowed, NotFound
from preheat.runtime.inference.model import InferenceModel
from preheat.runtime.requests import ROUTES
from preheat.runtime.surface.boundary import REFUSAL, Boundary
from preheat.runtime.surface.documents import document_routes
from preheat.runtime.surface.health import PATHS, Health
from preheat.runtime.surface.incoming import incoming
from preheat.runtime.surface.inference import Inference, inference_routes, refusal
from preheat.runtime.surface.invocations import ROUTE, Invocations
from preheat.runtime.surface.jobs import JobRoutes
from preheat.runtime.surface.metrics import ROUTE as METRICS
from preheat.runtime.surface.metrics import MetricsText
from preheat.runtime.surface.settings import Settings


def build_app(settings: Settings) -> FastAPI:
    """Return the application that knows every route of docs/http.md."""
    authenticate, limits, body_s = settings.authenticate, settings.limits, settings.body_s
    name, version, document = settings.name, settings.version, settings.document
    protocol = Inference(
        InferenceModel(engine=settings.engine, document=document, name=name, version=version),
        limits=limits,
        authenticate=authenticate,
        body_s=body_s,
    )
    job_routes = JobRoutes(jobs=settings.jobs, limits=limits, body_s=body_s)

    async def guard(request: Request) -> None:
        authenticate(incoming(request.scope).headers)

    guards = [Depends(guard)]
    invocations, health = Invocations(settings), Health(settings.engine, always_well=settings.always_well)
    return FastAPI(
        title=name,
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Boundary, telemetry=settings.telemetry)],
        exception_handlers={HTTPException: _translate},
        routes=[
            *(Route(path, invocations, methods=["POST"]) for path in ROUTES),
            *(Route(path, health, methods=["GET", "HEAD"]) for path in sorted(PATHS)),
            Route(METRICS, MetricsText(settings), methods=["GET"]),
            *document_routes(
                document=document, name=name, version=version, limits=limits, jobs=settings.jobs is not None
            ),
            *job_routes.routes(guards),
            *inference_routes(protocol),
        ],
    )


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

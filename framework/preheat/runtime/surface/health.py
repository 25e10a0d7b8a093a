"""/ping, /healthz and /readyz: what load balancers, SageMaker and orchestrators ask."""

from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from preheat.errors import Unavailable
from preheat.interface.message import Engine

RETRY_AFTER_S = 1.0


def health_routes(engine: Engine) -> list[APIRoute]:
    """Return the routes; they need no token, and say only whether the process lives and takes requests."""

    def demand_ready() -> None:
        if not engine.ready:
            raise Unavailable("Not ready: no request would be taken now.", retry_after_s=RETRY_AFTER_S)

    async def ping() -> Response:
        demand_ready()
        return Response()

    async def readyz() -> Response:
        demand_ready()
        return JSONResponse({"status": "ready"})

    async def healthz() -> Response:
        return JSONResponse({"status": "alive"})

    routes = {"/ping": ping, "/readyz": readyz, "/healthz": healthz}
    return [APIRoute(path, endpoint, methods=["GET", "HEAD"]) for path, endpoint in routes.items()]

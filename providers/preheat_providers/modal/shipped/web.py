"""The ASGI application of a container: the surface over its engine. Ships; imports Starlette."""

import json
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from preheat.interface.body import encode_body
from preheat.interface.message import JSON_TYPE
from preheat.runtime.engines import Guarded
from preheat.runtime.jobs import Jobs
from preheat.runtime.loader import Model
from preheat.runtime.surface import Settings, Surface
from preheat.runtime.telemetry import Telemetry


def web_application(
    engine: Guarded,
    model: Model,
    *,
    name: str,
    version: str,
    authenticate: Callable[[Mapping[str, str]], None],
    jobs: Jobs,
    telemetry: Telemetry,
) -> ASGIApp:
    """Return what serves `engine`, which runs `model`, under the routes of docs/http.md."""
    examples = [encode_body(model.contract.input, each, JSON_TYPE)[1] for each in model.handler.examples()]
    surface = Surface(
        Settings(
            engine=engine,
            document={**model.contract.document(), "examples": [json.loads(each) for each in examples]},
            name=name,
            version=version,
            limits=model.limits,
            jobs=jobs,
            metrics=telemetry.metrics,
            access=telemetry.access,
            authenticate=authenticate,
        )
    )

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _acknowledge(receive, send)
        else:
            await surface(scope, receive, send)

    return application


async def _acknowledge(receive: Receive, send: Send) -> None:
    """Answer the messages of ASGI's lifespan: what they are for, the hooks of Modal have done or will do.

    The surface would load FastAPI to say so.
    """
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return

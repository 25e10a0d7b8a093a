"""/schema, /openapi.json, /docs and the playground: what a deployment says of itself, made once."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi.routing import APIRoute
from starlette.responses import Response

from preheat.interface.manifest import Limits
from preheat.interface.message import JSON_TYPE
from preheat.runtime.surface.openapi import openapi_document
from preheat.runtime.surface.pages import assemble


def document_routes(
    *, document: Mapping[str, Any], name: str, version: str, limits: Limits, jobs: bool
) -> list[APIRoute]:
    """Return the routes; they need no token: they say how to call the handler, nothing of its traffic."""
    about = {"name": name, "version": version, "limits": _caller_limits(limits), "contract": dict(document)}
    openapi = openapi_document(document=document, name=name, version=version, limits=limits, jobs=jobs)
    answers = {
        "/": assemble("playground", about),
        "/docs": assemble("docs", about),
        "/schema": _json(document),
        "/openapi.json": _json(openapi),
    }
    return [
        APIRoute(path, _constant(body, headers), methods=["GET", "HEAD"])
        for path, (body, headers) in answers.items()
    ]


def _caller_limits(limits: Limits) -> dict[str, float]:
    return {"body_bytes": limits.body_bytes, "timeout_s": limits.timeout_s}


def _json(value: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    return json.dumps(value).encode(), {"content-type": JSON_TYPE}


def _constant(body: bytes, headers: Mapping[str, str]) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return Response(body, headers=headers)

    return answer

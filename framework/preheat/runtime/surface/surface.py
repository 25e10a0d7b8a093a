"""A deployment's application: what is asked all day is answered here, all else by FastAPI, once asked for.

FastAPI is a fifth of a second and 13 MB of a process that may never be asked for a page.
"""

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from preheat.runtime.requests import ROUTES
from preheat.runtime.surface.boundary import Boundary
from preheat.runtime.surface.direct import DirectInvocations
from preheat.runtime.surface.health import PATHS, Health
from preheat.runtime.surface.invocations import Invocations
from preheat.runtime.surface.metrics import ROUTE as METRICS
from preheat.runtime.surface.metrics import MetricsText
from preheat.runtime.surface.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


class Surface:
    """An ASGI application that serves one engine under the routes of docs/http.md."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        invocations = Invocations(settings)
        health = Health(settings.engine, always_well=settings.always_well)
        # By path and method; what else these paths are asked is refused where all routes are known.
        self._usual: dict[tuple[str, str], ASGIApp] = {
            **{("POST", path): invocations for path in ROUTES},
            **{(method, path): health for path in PATHS for method in ("GET", "HEAD")},
            ("GET", METRICS): MetricsText(settings),
        }
        self._boundary = Boundary(self._answer, settings.telemetry)
        self._pages: FastAPI | None = None
        self._loading: asyncio.Task[FastAPI] | None = None
        self.state = SimpleNamespace(direct=DirectInvocations(invocations, settings.telemetry))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and (scope["method"], scope["path"]) in self._usual:
            await self._boundary(scope, receive, send)
        else:
            pages = self._pages or await self._load()
            await pages(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._usual[scope["method"], scope["path"]](scope, receive, send)

    async def _load(self) -> "FastAPI":
        if self._loading is None or (self._loading.done() and self._loading.exception() is not None):
            self._loading = asyncio.create_task(asyncio.to_thread(_make, self._settings))
        self._pages = await asyncio.shield(self._loading)
        return self._pages


def _make(settings: Settings) -> "FastAPI":
    from preheat.runtime.surface.app import build_app

    return build_app(settings)

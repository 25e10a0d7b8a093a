"""The surface over a fake engine, and a client for it."""

from collections.abc import Mapping
from typing import Any

import httpx
from starlette.types import ASGIApp
from tests.fakes.engine import FakeEngine

from preheat.errors import Unauthorized
from preheat.interface.manifest import Limits
from preheat.interface.message import Engine
from preheat.runtime.metrics import Metrics
from preheat.runtime.surface import Settings, Surface

TOKEN = "let-me-in"
CONTRACT: dict[str, Any] = {
    "reference": "handler:Echo",
    "title": "Echo",
    "description": "Says it again.",
    "input": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"text": {"type": "string"}, "where": {"$ref": "#/$defs/Place"}},
        "required": ["text"],
        "$defs": {"Place": {"type": "object", "properties": {"city": {"type": "string"}}}},
    },
    "output": {"type": "array", "items": {"type": "number"}},
    "batching": None,
    "stream": False,
    "input_media": ["application/json"],
    "output_media": ["application/json"],
    "examples": [{"text": "hello"}],
}


def anyone(headers: Mapping[str, str]) -> None:
    """Let every caller in."""


def only_token(headers: Mapping[str, str]) -> None:
    """Let in whoever shows TOKEN."""
    if headers.get("authorization") != f"Bearer {TOKEN}":
        raise Unauthorized("The token is missing or wrong.")


def settings(engine: Engine | None = None, **overrides: Any) -> Settings:
    """Return settings with small limits, but for `overrides`."""
    known: dict[str, Any] = {
        "document": CONTRACT,
        "name": "echo",
        "version": "release 3",
        "limits": Limits(body_bytes=1000, timeout_s=9.0),
        "jobs": None,
        "metrics": Metrics(),
        "authenticate": anyone,
    }
    return Settings(engine=engine or FakeEngine(), **(known | overrides))


def surface(engine: Engine | None = None, **overrides: Any) -> Surface:
    """Return the application with these settings."""
    return Surface(settings(engine, **overrides))


def client(app: ASGIApp) -> httpx.AsyncClient:
    """Return a client whose requests go straight into `app`."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://surface")

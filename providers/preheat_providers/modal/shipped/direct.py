"""Requests that Modal's own credentials let in, past the endpoint and its token: `preheat invoke`. Ships.

What comes in and goes out is plain data, as `jobs.records` writes it, so that neither side needs the
other's classes. The answer is that of POST /invocations, a stream joined.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from preheat.errors import RequestError
from preheat.interface.manifest import Limits
from preheat.interface.message import Engine, Response
from preheat.interface.problem import problem_response
from preheat.runtime.answers import collected, told
from preheat.runtime.requests import ROUTES, Incoming, check_whole, inference
from preheat.runtime.telemetry import Exchange, Telemetry
from preheat_providers.modal.shipped.jobs.records import Item, answered

ROUTE = ROUTES[0]


async def answer(
    call_id: str, asked: Mapping[str, Any], engine: Engine, limits: Limits, telemetry: Telemetry
) -> Item:
    """Return the answer to `asked`, a body with `headers`, whatever it is: a problem is one too."""
    found = Incoming.of(asked["headers"], call_id)
    scope = {"method": "POST", "path": ROUTE}
    exchange = telemetry.begin(scope, found.id, found.headers)
    exchange.enter(ROUTE, scope)
    try:
        response = await _respond(found, asked["body"], engine, limits, exchange)
    except RequestError as error:
        response = problem_response(error, request_id=found.id)
    exchange.status, exchange.bytes_out = response.status, len(response.body)
    exchange.finish()
    headers = {name.lower(): value for name, value in told(response)} | {"x-request-id": found.id}
    return answered(replace(response, headers=headers))


async def _respond(
    found: Incoming, body: bytes, engine: Engine, limits: Limits, exchange: Exchange
) -> Response:
    exchange.bytes_in = len(body)
    check_whole(found.headers, body, limits.body_bytes)
    response = await engine.invoke(exchange.propagate(inference(found, body, limits)))
    exchange.answered(response)
    return await collected(response)

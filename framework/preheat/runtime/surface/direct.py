"""POST /invocations for a request that arrived whole: the same answer with less ado."""

from dataclasses import replace
from typing import Any

from preheat.interface.message import Response
from preheat.interface.problem import problem_response
from preheat.runtime.direct import RawHeaders, Reply
from preheat.runtime.metrics import Outcome
from preheat.runtime.requests import ROUTES, Incoming
from preheat.runtime.surface.boundary import as_request_error
from preheat.runtime.surface.incoming import ClientLeft
from preheat.runtime.surface.invocations import ROUTE, Invocations
from preheat.runtime.surface.outgoing import send_response, whole
from preheat.runtime.telemetry import Exchange, Telemetry


class DirectInvocations:
    """Does for one request what the boundary and `Invocations` do together. Implements Direct."""

    targets = frozenset(path.encode() for path in ROUTES)

    def __init__(self, invocations: Invocations, telemetry: Telemetry) -> None:
        self._invocations = invocations
        self._telemetry = telemetry

    async def answer(self, scope: dict[str, Any], headers: RawHeaders, body: bytes, reply: Reply) -> None:
        """Answer one request, whatever happens."""
        found = Incoming.read(headers)
        exchange = self._telemetry.begin(scope, found.id, found.headers)
        exchange.enter(ROUTE, scope)
        outcome: Outcome | None = "cancelled"
        try:
            try:
                request = self._invocations.admit(found, body, exchange)
                response = await self._invocations.engine.invoke(request)
                exchange.answered(response)
            except Exception as error:  # noqa: BLE001 - one request: its failure may not reach the next
                failure = as_request_error(error, found.id, started=False)
                response = problem_response(failure, request_id=found.id)
            exchange.status = response.status
            if response.chunks is None:
                exchange.bytes_out = len(response.body)
                reply.write(_message(response, found.id, exchange, reply))
                outcome = None
            else:
                outcome = await _stream(response, found.id, exchange, reply)
        finally:
            exchange.finish(outcome)


def _message(response: Response, request_id: str, exchange: Exchange, reply: Reply) -> bytes:
    try:
        return whole(response, request_id, keep_alive=reply.keep_alive)
    except ValueError as error:
        failure = as_request_error(error, request_id, started=False)
        exchange.status = failure.status
        answer = problem_response(failure, request_id=request_id)
        return whole(answer, request_id, keep_alive=reply.keep_alive)


async def _stream(response: Response, request_id: str, exchange: Exchange, reply: Reply) -> Outcome | None:
    """Send a stream; an end that is missing tells the client that it broke off."""
    send = reply.conversation()

    async def counted(message: Any) -> None:
        exchange.bytes_out += len(message.get("body", b""))
        await send(message)

    named = replace(response, headers={**response.headers, "x-request-id": request_id})
    try:
        await send_response(named, counted)
    except ClientLeft:
        return "cancelled"
    except Exception as error:  # noqa: BLE001 - one request: its failure may not reach the next
        as_request_error(error, request_id, started=True)
        return "failed"
    return None

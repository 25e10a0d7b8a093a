"""Traces in X-Ray: a subsegment for each call of the model, below the segment that Lambda makes of an event.

Importing this imports aws-lambda-powertools and the X-Ray SDK, so a function does where tracing is on.
"""

from typing import Any

from aws_lambda_powertools import Tracer

from preheat.interface.message import Engine, Request, Response

NAME = "## predict"
"""The names of subsegments that Powertools makes begin like this."""


class Traced:
    """An engine whose calls are subsegments. One that fails by our doing is marked as a fault."""

    def __init__(self, engine: Engine, *, service: str, release: str) -> None:
        self._engine = engine
        self._release = release
        self._tracer = Tracer(service=service, auto_patch=False)

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken."""
        return self._engine.ready

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        with self._tracer.provider.in_subsegment(name=NAME) as subsegment:
            response = await self._engine.invoke(request)
            self._tell(subsegment, request, response)
        return response

    def _tell(self, subsegment: Any, request: Request, response: Response) -> None:
        subsegment.put_annotation("Service", self._tracer.service)
        subsegment.put_annotation("Release", self._release)
        subsegment.put_annotation("RequestId", request.id)
        subsegment.put_annotation("Status", response.status)
        times = {"queue_ms": response.queue_ms, "model_ms": response.model_ms}
        subsegment.put_metadata("preheat", {**times, "batch_size": response.batch_size})
        if response.status >= 500:
            subsegment.add_fault_flag()
        elif response.status >= 400:
            subsegment.add_error_flag()

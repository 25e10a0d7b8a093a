"""One inference as bytes, in and out: what every provider's entry translates its platform's events to."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"

TIMEOUT_HEADER = "x-preheat-timeout-s"
"""Request header: give up after so many seconds."""
START_HEADER = "x-preheat-start"
"""Answer header: `cold` when the request waited for a process to start, otherwise `warm`."""
QUEUE_MS_HEADER = "x-preheat-queue-ms"
"""Answer header: how long the request waited before predict took it, in ms."""
MODEL_MS_HEADER = "x-preheat-model-ms"
"""Answer header: how long predict ran, in ms."""
CACHE_HEADER = "x-preheat-cache"
"""Answer header of a cached handler: `hit` was kept, `shared` came of another's call, `miss` of its own."""
BATCH_SIZE_HEADER = "x-preheat-batch-size"
"""Answer header: how many requests the call of predict answered."""
RELEASE_HEADER = "x-preheat-release"
"""Answer header: the release that answered."""
TRACE_HEADERS = ("traceparent", "tracestate")
"""Request headers: the trace that a request belongs to (https://www.w3.org/TR/trace-context/)."""

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One inference to make. `timeout_s` counts from when the engine receives it."""

    body: bytes
    content_type: str = JSON_TYPE
    accept: str = "*/*"
    id: str
    timeout_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Its answer. Exactly one of `body` and `chunks` carries the content; `chunks` is a stream.

    `queue_ms` is how long the request waited for the model, `model_ms` how long predict took
    (a whole batch's time for each of its requests; until the first item for a stream), and
    `batch_size` how many requests that call answered. All are 0 when predict did not run.
    """

    status: int = 200
    content_type: str = JSON_TYPE
    body: bytes = b""
    chunks: AsyncIterator[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    queue_ms: float = 0.0
    model_ms: float = 0.0
    batch_size: int = 0


class Engine(Protocol):
    """Anything that answers requests: the model in this process, or a pool of processes that hold it."""

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; failures come back as a problem document, never as an exception.

        Cancelling the call, or closing `chunks`, tells the handler that nobody waits any more.
        """
        ...

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken."""
        ...

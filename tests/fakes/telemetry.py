"""Everything that a surface tells of its requests, kept in memory."""

from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from tests.fakes.sink import Sink

from preheat.runtime.access import AccessLog
from preheat.runtime.spans import Tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


@dataclass(slots=True)
class Told:
    """`access` and `tracing` are for `build_app`; `lines` and `spans` are what came of them."""

    sink: Sink = field(default_factory=Sink)
    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    sampler: Sampler = ALWAYS_ON
    access: AccessLog = field(init=False)
    tracing: Tracing = field(init=False)

    def __post_init__(self) -> None:
        provider = TracerProvider(sampler=self.sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.access = AccessLog(self.sink)
        self.tracing = Tracing(provider)

    def lines(self) -> list[dict[str, Any]]:
        """Return the access log, complete; nothing can be added afterwards."""
        assert self.access.close(30)
        return self.sink.lines

    def spans(self) -> dict[str, ReadableSpan]:
        """Return the ended spans by name."""
        return {span.name: span for span in self.exporter.get_finished_spans()}


def span_id(span: ReadableSpan) -> str:
    """Return its id as `traceparent` writes it."""
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def parent_id(span: ReadableSpan) -> str | None:
    """Return its parent's id as `traceparent` writes it."""
    return None if span.parent is None else f"{span.parent.span_id:016x}"

"""The spans of a request, by the OpenTelemetry API: a server span, and the measured times as its children.

Only `tracing.py` imports this, where traces are asked for.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from preheat.interface.message import RELEASE_HEADER, START_HEADER, Request, Response

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider as SdkProvider

FLUSH_S = 3.0
"""How long the last spans may take to leave when a deployment stops."""
LONGEST_PATH = 256

_W3C = TraceContextTextMapPropagator()


class RequestSpan:
    """One request's server span, open until `end`. `carrier` names it to whoever works for the request."""

    __slots__ = ("_context", "_span", "_tracer", "carrier")

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        self._context = set_span_in_context(span, Context())
        self.carrier: dict[str, str] = {}
        _W3C.inject(self.carrier, self._context)

    def propagate(self, request: Request) -> Request:
        """Return `request` as a child of this span."""
        return replace(request, headers={**request.headers, **self.carrier})

    def answered(self, response: Response) -> None:
        """Add the spans `queue` and `predict`, which end now; without predict there are none."""
        if response.model_ms <= 0.0 or not self._span.is_recording():
            return
        self._span.set_attribute("preheat.cold", response.headers.get(START_HEADER) == "cold")
        if (release := response.headers.get(RELEASE_HEADER)) is not None:
            self._span.set_attribute("preheat.release", release)
        ended = time.time_ns()
        taken = ended - int(response.model_ms * 1e6)
        self._child("queue", taken - int(response.queue_ms * 1e6), taken, {})
        size = {"preheat.batch_size": response.batch_size} if response.batch_size else {}
        self._child("predict", taken, ended, size)

    def end(self, status: int | None, outcome: str) -> None:
        """Close the span. Only what is our doing is an error of it, as the HTTP conventions say."""
        self._span.set_attribute("preheat.outcome", outcome)
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if outcome == "failed":
            whole = status is not None and status >= 500
            self._span.set_attribute("error.type", str(status) if whole else "incomplete_answer")
            self._span.set_status(StatusCode.ERROR)
        self._span.end()

    def _child(self, name: str, start: int, end: int, attributes: Mapping[str, int]) -> None:
        self._tracer.start_span(name, self._context, attributes=attributes, start_time=start).end(end)


class Tracing:
    """Makes the spans of one deployment. `owned` is ended with it; a provider of the user's is not."""

    def __init__(self, provider: TracerProvider, *, owned: "SdkProvider | None" = None) -> None:
        self._tracer = provider.get_tracer("preheat")
        self._owned = owned

    def begin(
        self, scope: Mapping[str, Any], route: str, request_id: str, headers: Mapping[str, str]
    ) -> RequestSpan:
        """Open the span of a request, below the caller's if `headers` name one. `scope` is ASGI's.

        The attributes are those of https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
        """
        attributes: dict[str, str | int] = {
            "http.request.method": scope["method"],
            "http.route": route,
            "url.path": scope["path"][:LONGEST_PATH],
            "url.scheme": scope.get("scheme", "http"),
            "network.protocol.version": scope.get("http_version", "1.1"),
            "preheat.request_id": request_id,
        }
        span = self._tracer.start_span(
            f"{scope['method']} {route}",
            _W3C.extract(headers, Context()),
            kind=SpanKind.SERVER,
            attributes=attributes,
        )
        return RequestSpan(self._tracer, span)

    def close(self, limit_s: float = FLUSH_S) -> bool:
        """Export what is left; False when that took longer than `limit_s`, and the rest is given up."""
        if self._owned is None:
            return True
        # The SDK itself would wait for an exporter's time limit, and for each of its retries.
        ending = threading.Thread(target=self._owned.shutdown, name="preheat-last-spans", daemon=True)
        ending.start()
        ending.join(limit_s)
        return not ending.is_alive()

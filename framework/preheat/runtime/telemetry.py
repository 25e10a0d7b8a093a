"""What the surface tells of each request: metrics, a line of the access log, a trace. One object for all."""

import time
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from preheat.interface.message import RELEASE_HEADER, START_HEADER, Request, Response
from preheat.runtime.access import AccessLog, AccessRecord
from preheat.runtime.metrics import Metrics, Outcome, RouteMetrics, outcome_of

if TYPE_CHECKING:
    from preheat.runtime.spans import RequestSpan, Tracing

KEY = "preheat.exchange"
"""Where the boundary leaves the `Exchange` in the ASGI scope."""
UNREMARKABLE = frozenset({"/ping", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Asked for all day by machines: these have a line in the access log only when the answer is bad."""

Scope = Mapping[str, Any]


class Telemetry:
    """Where the facts about requests go. `access` and `tracing` are None where nobody wants them."""

    __slots__ = ("access", "clock", "metrics", "tracing")

    def __init__(
        self,
        metrics: Metrics,
        *,
        access: AccessLog | None = None,
        tracing: "Tracing | None" = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.metrics = metrics
        self.access = access
        self.tracing = tracing
        self.clock = clock

    def begin(self, scope: Scope, request_id: str, headers: Mapping[str, str]) -> "Exchange":
        """Start the clock of a request. `scope` is ASGI's; `headers` are by lower-case name."""
        return Exchange(self, scope["method"], scope["path"], request_id, headers)


class Exchange:
    """One request on its way: who serves it calls `enter` and `answered`, who sent the answer `finish`.

    `status` stays None until something is sent; `bytes_in` and `bytes_out` count bodies.
    """

    __slots__ = (
        "_answer",
        "_headers",
        "_id",
        "_method",
        "_path",
        "_route",
        "_route_metrics",
        "_span",
        "_started",
        "_telemetry",
        "bytes_in",
        "bytes_out",
        "status",
    )

    def __init__(
        self, telemetry: Telemetry, method: str, path: str, request_id: str, headers: Mapping[str, str]
    ) -> None:
        self._started = telemetry.clock()
        self._telemetry = telemetry
        self._method = method
        self._path = path
        self._id = request_id
        self._headers = headers
        self._route: str | None = None
        self._route_metrics: RouteMetrics | None = None
        self._span: RequestSpan | None = None
        self._answer: Response | None = None
        self.status: int | None = None
        self.bytes_in = 0
        self.bytes_out = 0

    def enter(self, route: str, scope: Scope) -> None:
        """Say that this is a request to `route`, one of the few that are counted and traced."""
        telemetry = self._telemetry
        self._route = route
        self._route_metrics = counted = telemetry.metrics.route(route)
        counted.started()
        if telemetry.tracing is not None:
            self._span = telemetry.tracing.begin(scope, route, self._id, self._headers)

    def propagate(self, request: Request) -> Request:
        """Return `request` so that what happens for it is part of this one's trace."""
        return request if self._span is None else self._span.propagate(request)

    def answered(self, response: Response) -> None:
        """Take what an engine says of its answer; the last one counts where there are several."""
        self._answer = response
        if self._route_metrics is not None:
            self._route_metrics.answered(response)
        if self._span is not None:
            self._span.answered(response)

    def finish(self, outcome: Outcome | None = None) -> None:
        """End it, once: as `status` says, or as `outcome` where what was sent is not the whole story."""
        telemetry = self._telemetry
        seconds = telemetry.clock() - self._started
        if outcome is None:
            outcome = "cancelled" if self.status is None else outcome_of(self.status)
        if self._route_metrics is not None:
            self._route_metrics.finished(outcome, seconds)
        if self._span is not None:
            self._span.end(self.status, outcome)
        if telemetry.access is not None and (outcome != "ok" or self._path not in UNREMARKABLE):
            telemetry.access.add(self._record(outcome, seconds))

    def _record(self, outcome: Outcome, seconds: float) -> AccessRecord:
        answer = self._answer
        told = {} if answer is None else answer.headers
        carrier = self._headers if self._span is None else self._span.carrier
        return AccessRecord(
            time.time() - seconds,
            self._id,
            self._method,
            self._route,
            self._path,
            self.status,
            outcome,
            self.bytes_in,
            self.bytes_out,
            seconds * 1000,
            0.0 if answer is None else answer.queue_ms,
            0.0 if answer is None else answer.model_ms,
            0 if answer is None else answer.batch_size,
            told.get(START_HEADER) == "cold",
            told.get(RELEASE_HEADER),
            carrier.get("traceparent"),
        )


def exchange_of(scope: Scope) -> Exchange:
    """Return what the boundary began for this request."""
    found: Exchange = scope[KEY]
    return found

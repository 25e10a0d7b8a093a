"""What a deployment counts, as Prometheus text. Each has its own registry, so two apps share nothing."""

from collections.abc import Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import Literal, Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from preheat.errors import RequestError
from preheat.interface.message import MODEL_MS_HEADER, QUEUE_MS_HEADER, START_HEADER

Outcome = Literal["ok", "rejected", "failed", "cancelled"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram buckets: a warm small model answers in 1 ms, a cold large one in a minute."""


def outcome_of(status: int) -> Outcome:
    """Return how a request ended: 4xx is the caller's doing, 5xx the handler's or ours."""
    if status < 400:
        return "ok"
    return "rejected" if status < 500 else "failed"


class Metrics:
    """Counters and histograms of one app. `workers` returns how many there are now, by state."""

    def __init__(
        self,
        *,
        workers: Callable[[], Mapping[str, int]] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._clock = clock
        registry = self._registry
        self._requests = Counter(
            "preheat_requests", "Requests, by route and outcome.", ("route", "outcome"), registry=registry
        )
        self._seconds = Histogram(
            "preheat_request_seconds",
            "From the request's headers to the last byte of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._queue = Histogram(
            "preheat_queue_seconds", "Wait before predict took a request.", buckets=SECONDS, registry=registry
        )
        self._model = Histogram(
            "preheat_model_seconds", "Time in predict.", buckets=SECONDS, registry=registry
        )
        self._cold = Counter("preheat_cold_starts", "Requests that waited for a process.", registry=registry)
        self._in_flight = Gauge("preheat_requests_in_flight", "Requests being answered.", registry=registry)
        if workers is not None:
            registry.register(_Workers(workers))

    def track(self, route: str) -> "Tracked":
        """Return a context that counts one request of `route` from entering to leaving it."""
        return Tracked(self, route, self._clock)

    def started(self) -> None:
        """Count a request that is now being answered."""
        self._in_flight.inc()

    def observe_request(self, route: str, outcome: Outcome, seconds: float) -> None:
        """Count the end of a request that `started` counted."""
        self._in_flight.dec()
        self._requests.labels(route, outcome).inc()
        self._seconds.labels(route).observe(seconds)

    def observe_answer(self, status: int, headers: Mapping[str, str]) -> None:
        """Count what an engine says of its answer in the `x-preheat-` headers.

        Only good answers have times: most others never reached predict.
        """
        if headers.get(START_HEADER) == "cold":
            self.cold_start()
        if status >= 400:
            return
        if (queue_ms := headers.get(QUEUE_MS_HEADER)) is not None:
            self.queued(float(queue_ms) / 1000)
        if (model_ms := headers.get(MODEL_MS_HEADER)) is not None:
            self.predicted(float(model_ms) / 1000)

    def cold_start(self) -> None:
        """Count a request that had to wait for a process to start."""
        self._cold.inc()

    def queued(self, seconds: float) -> None:
        """Record how long a request waited before predict took it."""
        self._queue.observe(seconds)

    def predicted(self, seconds: float) -> None:
        """Record how long predict ran for a request."""
        self._model.observe(seconds)

    def render(self) -> tuple[str, bytes]:
        """Return the media type and the text of the Prometheus exposition format."""
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)


class Tracked:
    """One request being counted. Set `status` when its answer is known; without it counts as cancelled."""

    __slots__ = ("_clock", "_metrics", "_route", "_started", "status")

    def __init__(self, metrics: Metrics, route: str, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._route = route
        self._clock = clock
        self._started = 0.0
        self.status: int | None = None

    def __enter__(self) -> Self:
        self._started = self._clock()
        self._metrics.started()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._metrics.observe_request(self._route, self._outcome(error), self._clock() - self._started)

    def _outcome(self, error: BaseException | None) -> Outcome:
        if isinstance(error, RequestError):
            return outcome_of(error.status)
        if isinstance(error, Exception):
            return "failed"
        if error is not None or self.status is None:
            return "cancelled"
        return outcome_of(self.status)


class _Workers(Collector):
    """Asks for the workers at each scrape, so that the gauge cannot drift from the pool."""

    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def collect(self) -> list[GaugeMetricFamily]:
        family = GaugeMetricFamily("preheat_workers", "Processes with the model, by state.", labels=["state"])
        for state, number in self._count().items():
            family.add_metric([state], number)
        return [family]

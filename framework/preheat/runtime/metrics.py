"""What a deployment counts, as Prometheus text. Each has its own registry, so two apps share nothing.

Counting is plain arithmetic on the event loop's thread, which also renders: a client library's own
counters take a lock for each number, and a request has ten. They become its families at a scrape.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from preheat.interface.message import CACHE_HEADER, START_HEADER, Response

Outcome = Literal["ok", "rejected", "failed", "cancelled"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram buckets: a warm small model answers in 1 ms, a cold large one in a minute."""
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
"""Upper bounds of the buckets for the size of a batch."""

_LABELS = ("route", "outcome")


def outcome_of(status: int) -> Outcome:
    """Return how a request ended: 4xx is the caller's doing, 5xx the handler's or ours."""
    if status < 400:
        return "ok"
    return "rejected" if status < 500 else "failed"


class Histogram:
    """How often a value fell into each bucket, and the sum of all values."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count `value`; a bucket holds its own upper bound."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Add the series `labels` to `family`, if there is anything in it."""
        if not any(self._counts):
            return
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        family.add_metric(labels, list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)


class Series:
    """The histograms of one route and outcome."""

    __slots__ = ("batch", "model", "queue", "total")

    def __init__(self) -> None:
        self.total = Histogram(SECONDS)
        self.queue = Histogram(SECONDS)
        self.model = Histogram(SECONDS)
        self.batch = Histogram(SIZES)


class RouteMetrics:
    """What is counted of one route."""

    __slots__ = ("cached", "cold", "in_flight", "series")

    def __init__(self) -> None:
        self.in_flight = 0
        self.cold = 0
        self.cached: Counter[str] = Counter()
        self.series: dict[Outcome, Series] = {}

    def started(self) -> None:
        """Count a request that is now being answered."""
        self.in_flight += 1

    def answered(self, response: Response) -> None:
        """Count what an engine says of one answer; one that never reached predict has no times."""
        headers = response.headers
        if headers.get(START_HEADER) == "cold":
            self.cold += 1
        if (how := headers.get(CACHE_HEADER)) is not None:
            self.cached[how] += 1
        if response.model_ms <= 0.0:
            return
        series = self._series("ok" if response.status < 400 else outcome_of(response.status))
        series.queue.observe(response.queue_ms / 1000)
        series.model.observe(response.model_ms / 1000)
        if response.batch_size:
            series.batch.observe(response.batch_size)

    def finished(self, outcome: Outcome, seconds: float) -> None:
        """Count the end of a request that `started` counted."""
        self.in_flight -= 1
        self._series(outcome).total.observe(seconds)

    def _series(self, outcome: Outcome) -> Series:
        found = self.series.get(outcome)
        if found is None:
            found = self.series[outcome] = Series()
        return found


class Metrics(Collector):
    """The numbers of one deployment.

    `workers` returns how many processes there are now, by state, and `circuit_open` whether the
    model counts as failing.
    """

    def __init__(
        self,
        *,
        workers: Callable[[], Mapping[str, int]] | None = None,
        circuit_open: Callable[[], bool] | None = None,
    ) -> None:
        self._workers = workers
        self._circuit_open = circuit_open
        self._routes: dict[str, RouteMetrics] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def route(self, name: str) -> RouteMetrics:
        """Return what is counted of the route `name`."""
        return self._routes.setdefault(name, RouteMetrics())

    def render(self) -> tuple[str, bytes]:
        """Return the media type and the text of the Prometheus exposition format."""
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield every family as it is now."""
        requests = CounterMetricFamily("preheat_requests", "Requests, by route and outcome.", labels=_LABELS)
        total = _family("preheat_request_seconds", "From the request's headers to its answer's last byte.")
        queue = _family("preheat_queue_seconds", "Wait before predict took a request.")
        model = _family("preheat_model_seconds", "Time in predict.")
        batch = _family("preheat_batch_size", "Requests that one call of predict answered.")
        for name, route in self._routes.items():
            for outcome, series in route.series.items():
                labels = (name, outcome)
                requests.add_metric(labels, series.total.count)
                series.total.add_to(total, labels)
                series.queue.add_to(queue, labels)
                series.model.add_to(model, labels)
                series.batch.add_to(batch, labels)
        yield from (requests, total, queue, model, batch)
        yield from self._totals()

    def _totals(self) -> Iterator[Metric]:
        """Yield what has no route, and states: asked for at each scrape, they cannot drift."""
        cached = sum((route.cached for route in self._routes.values()), Counter[str]())
        cache = CounterMetricFamily(
            "preheat_cache", "Answers of a cached handler: hit, shared or miss.", labels=["outcome"]
        )
        for how, number in cached.items():
            cache.add_metric([how], number)
        yield cache
        cold = sum(route.cold for route in self._routes.values())
        yield CounterMetricFamily("preheat_cold_starts", "Requests that waited for a process.", value=cold)
        in_flight = sum(route.in_flight for route in self._routes.values())
        yield GaugeMetricFamily("preheat_requests_in_flight", "Requests being answered.", value=in_flight)
        if self._circuit_open is not None:
            yield GaugeMetricFamily(
                "preheat_circuit_open", "1 while the model counts as failing.", value=self._circuit_open()
            )
        if self._workers is not None:
            workers = GaugeMetricFamily(
                "preheat_workers", "Processes with the model, by state.", labels=["state"]
            )
            for state, number in self._workers().items():
                workers.add_metric([state], number)
            yield workers


def _family(name: str, documentation: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, documentation, labels=_LABELS)

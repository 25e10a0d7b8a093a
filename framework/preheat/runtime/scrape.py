"""The numbers of a deployment as Prometheus text. Imports the client library, which a start does not need.

Each text has its own registry, so two deployments in one process share nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

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

from preheat.runtime.metrics import Histogram, Metrics

_LABELS = ("route", "outcome")


def exposed(metrics: Metrics) -> tuple[str, bytes]:
    """Return the media type and the text of the exposition format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(metrics))
    return CONTENT_TYPE_LATEST, generate_latest(registry)


class _Families(Collector):
    """What a scrape is told of `metrics`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield every family as it is now."""
        requests = CounterMetricFamily("preheat_requests", "Requests, by route and outcome.", labels=_LABELS)
        total = _family("preheat_request_seconds", "From the request's headers to its answer's last byte.")
        queue = _family("preheat_queue_seconds", "Wait before predict took a request.")
        model = _family("preheat_model_seconds", "Time in predict.")
        batch = _family("preheat_batch_size", "Requests that one call of predict answered.")
        for name, route in self._metrics.routes.items():
            for outcome, series in route.series.items():
                labels = (name, outcome)
                requests.add_metric(labels, series.total.count)
                _add(series.total, total, labels)
                _add(series.queue, queue, labels)
                _add(series.model, model, labels)
                _add(series.batch, batch, labels)
        yield from (requests, total, queue, model, batch)
        yield from self._totals()

    def _totals(self) -> Iterator[Metric]:
        """Yield what has no route, and states: asked for at each scrape, they cannot drift."""
        cached = sum((route.cached for route in self._metrics.routes.values()), Counter[str]())
        cache = CounterMetricFamily(
            "preheat_cache", "Answers of a cached handler: hit, shared or miss.", labels=["outcome"]
        )
        for how, number in cached.items():
            cache.add_metric([how], number)
        yield cache
        cold = sum(route.cold for route in self._metrics.routes.values())
        yield CounterMetricFamily("preheat_cold_starts", "Requests that waited for a process.", value=cold)
        in_flight = sum(route.in_flight for route in self._metrics.routes.values())
        yield GaugeMetricFamily("preheat_requests_in_flight", "Requests being answered.", value=in_flight)
        circuit_open, numbers = self._metrics.circuit_open, self._metrics.workers
        if circuit_open is not None:
            yield GaugeMetricFamily(
                "preheat_circuit_open", "1 while the model counts as failing.", value=circuit_open()
            )
        if numbers is not None:
            workers = GaugeMetricFamily(
                "preheat_workers", "Processes with the model, by state.", labels=["state"]
            )
            for state, number in numbers().items():
                workers.add_metric([state], number)
            yield workers


def _add(histogram: Histogram, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
    """Add the series `labels` to `family`, if there is anything in it."""
    if histogram.count:
        bounds, numbers = zip(*histogram.buckets, strict=True)
        buckets = zip(map(floatToGoString, bounds), numbers, strict=True)
        family.add_metric(labels, list(buckets), histogram.sum)


def _family(name: str, documentation: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, documentation, labels=_LABELS)

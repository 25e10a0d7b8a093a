"""What a deployment counts. Plain arithmetic on the event loop's thread, which also renders it.

A client library's own counters take a lock for each number, and a request has ten. They become its
families at a scrape (`preheat.runtime.scrape`), which imports it: 20 ms that no start has to wait for.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from math import inf
from typing import Literal

from preheat.interface.message import CACHE_HEADER, START_HEADER, Response

Outcome = Literal["ok", "rejected", "failed", "cancelled"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram buckets: a warm small model answers in 1 ms, a cold large one in a minute."""
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
"""Upper bounds of the buckets for the size of a batch."""


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

    @property
    def sum(self) -> float:
        """What all values are together."""
        return self._sum

    @property
    def buckets(self) -> Iterator[tuple[float, int]]:
        """Yield each upper bound, infinity the last, with how many values there were up to it."""
        return zip((*self._bounds, inf), accumulate(self._counts), strict=True)


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


class Metrics:
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
        self.workers = workers
        self.circuit_open = circuit_open
        self.routes: dict[str, RouteMetrics] = {}

    def route(self, name: str) -> RouteMetrics:
        """Return what is counted of the route `name`."""
        return self.routes.setdefault(name, RouteMetrics())

    def render(self) -> tuple[str, bytes]:
        """Return the media type and the text of the Prometheus exposition format."""
        from preheat.runtime.scrape import exposed

        return exposed(self)

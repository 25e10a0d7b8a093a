"""What a function has answered: counts, and latencies over a bounded window of recent requests."""

import math
from collections import deque
from collections.abc import Collection

WINDOW = 512


def percentile(values: Collection[float], share: float) -> float | None:
    """Return the nearest-rank percentile of `values`, or None when there is none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Statistics:
    """Counts and latencies in ms. Cold requests waited for a worker to start, warm ones did not."""

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.cold_starts = 0
        self._cold_ms: deque[float] = deque(maxlen=WINDOW)
        self._warm_ms: deque[float] = deque(maxlen=WINDOW)

    def record(self, *, ms: float, cold: bool, status: int) -> None:
        """Count one answered request; only successes tell a latency, errors are answered early."""
        self.requests += 1
        self.errors += status >= 500
        self.cold_starts += cold
        if status < 400:
            (self._cold_ms if cold else self._warm_ms).append(ms)

    @property
    def cold_ms_p50(self) -> float | None:
        """The median latency of requests that waited for a start."""
        return percentile(self._cold_ms, 0.5)

    def warm_ms(self, share: float) -> float | None:
        """The latency that `share` of the other requests stayed within."""
        return percentile(self._warm_ms, share)

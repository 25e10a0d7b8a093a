"""One option replayed over one trace: what its users and whoever pays for it would have seen."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from preheat.provider.warm_options import WarmOption
from preheat.warming.hours import changes, least_at
from preheat.warming.kernel import Shape, Totals, replay
from preheat.warming.start import ColdStart
from preheat.warming.trace.model import Floats, Trace

QUANTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`cold` of `requests` waited for a start. The latencies are what was added to a request, in ms.

    `totals` are those of the simulator; `duration_s` is what they were summed over. Pings are no requests.
    """

    requests: int
    cold: int
    pings: int
    added_ms: tuple[float, float, float]
    mean_added_ms: float
    duration_s: float
    totals: Totals

    @property
    def cold_share(self) -> float:
        """The share of requests that waited for a start."""
        return self.cold / self.requests

    @property
    def idle_s(self) -> float:
        """How long workers were there without work, summed over workers: what keeping them warm takes."""
        return self.totals.worker_s - self.totals.busy_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is the same for every option. `services_s` has one value, or one for each request."""

    trace: Trace
    cold: ColdStart
    services_s: Floats
    seed: int = 0
    most: int | None = None

    def run(self, option: WarmOption) -> Outcome:
        """Replay the trace under `option`."""
        arrivals, services, real = self._requests(option)
        waits = np.zeros(len(arrivals))
        cold = np.zeros(len(arrivals), np.bool_)
        end = self.trace.duration_s
        totals = replay(
            arrivals,
            services,
            self.cold.samples(ratio=option.start_ratio, extra_s=option.start_extra_s, seed=self.seed),
            _floors(option, self.trace.start, end),
            _shape(option, end),
            waits,
            cold,
        )
        added = waits if real is None else waits[real]
        return Outcome(
            requests=len(added),
            cold=int(np.count_nonzero(cold if real is None else cold[real])),
            pings=len(arrivals) - len(added),
            added_ms=_quantiles(added),
            mean_added_ms=float(added.mean()) * 1000,
            duration_s=end,
            totals=totals,
        )

    def _requests(self, option: WarmOption) -> tuple[Floats, Floats, NDArray[np.bool_] | None]:
        """Return arrivals and services, pings among them, and which are requests (None: all)."""
        arrivals = self.trace.arrivals
        services = np.broadcast_to(self.services_s, arrivals.shape)
        if option.ping_every_s is None:
            return arrivals, np.ascontiguousarray(services), None
        pings = np.arange(0.0, self.trace.duration_s, option.ping_every_s)
        times = np.concatenate([arrivals, pings])
        order = np.argsort(times, kind="stable")
        took = np.concatenate([services, np.full(len(pings), option.ping_s)])
        return times[order], took[order], order < len(arrivals)


def _shape(option: WarmOption, end: float) -> Shape:
    return Shape(
        buffer=option.buffer,
        buffer_when_idle=option.buffer_when_idle,
        most=option.most,
        idle_s=float(option.idle_s),
        adaptive=option.adaptive,
        lifetime_s=float("inf") if option.lifetime_s is None else float(option.lifetime_s),
        bound=option.bound,
        backlog=option.backlog,
        concurrency=max(1, option.concurrency),
        end=float(end),
    )


def _quantiles(added: Floats) -> tuple[float, float, float]:
    """Return quantiles in ms, to the microsecond: differences of a week's moments are no more exact."""
    p50, p95, p99 = (
        round(float(each) * 1000, 3) for each in np.percentile(added, QUANTILES, method="higher")
    )
    return p50, p95, p99


def _floors(option: WarmOption, start: float, end: float) -> Floats:
    """Return the least number of workers by time, in rows of the second and the number."""
    if not option.hours:
        return np.array([(0.0, float(option.least))])
    begin, until = (datetime.fromtimestamp(start + each, UTC) for each in (0.0, end))
    rows = [(0.0, float(least_at(option.hours, begin)))]
    rows += [(when.timestamp() - start, float(n)) for when, n in changes(option.hours, begin, until)]
    return np.array(rows)

"""Counts by period, as CloudWatch exports them, to single arrivals. Pure, by a seed."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import gcd, inf
from typing import Any

import numpy as np

from preheat.warming.trace.model import MOST, Floats, TraceError
from preheat.warming.trace.moments import Moments

STATISTICS = ("Sum", "SampleCount")
COUNTING = ("Count", "None")
"""Units of a Sum of requests; that of milliseconds counts nothing."""
REQUESTS = "Invocations"
"""The metric of requests, of Lambda and of SageMaker."""
LEAST_PERIOD_S = 5
"""Gaps with a smaller divisor are uneven. CloudWatch has periods of 1, 5, 10 and 30 s, and of minutes."""
DAY_S = 23 * 3600
"""A day when clocks go forward: from it on, gaps are even by the calendar and not by the second."""


def periods(document: Any, moments: Moments) -> list[tuple[float, float]] | None:
    """Return the begin and the count of each period; None where the document is no metric.

    `aws cloudwatch get-metric-statistics` prints Datapoints, `get-metric-data` MetricDataResults. Raises
    TraceError, and KeyError, TypeError or ValueError where a period is not as they print it.
    """
    if not isinstance(document, Mapping):
        return None
    points = document.get("Datapoints")
    if isinstance(points, list):
        return [(moments.read(each["Timestamp"]), _count(each)) for each in points]
    results = document.get("MetricDataResults")
    if isinstance(results, list):
        pages = (zip(each["Timestamps"], each["Values"], strict=True) for each in _of_requests(results))
        return [(moments.read(when), _number(value)) for page in pages for when, value in page]
    return None


def spread(counted: list[tuple[float, float]], *, source: str, seed: int) -> tuple[Floats, float]:
    """Return arrivals at random within their periods, and the length of one. Raises TraceError."""
    begins = sorted({when for when, _ in counted})
    if len(begins) < 2:
        raise TraceError(f"{source} has fewer than two periods.", hint="--period 60  # ask for minutes")
    total = sum(value for _, value in counted)
    if total > MOST:
        raise TraceError(
            f"{source} counts {total:.3g} requests, and {MOST:,} are the most that is replayed.",
            hint="--start-time ... --end-time ...  # ask for fewer days",
        )
    period_s = _period_s([after - before for before, after in pairwise(begins)])
    when = np.array([each for each, _ in counted])
    counts = np.array([round(value) for _, value in counted])
    times = np.repeat(when, counts) + np.random.default_rng(seed).uniform(0, period_s, int(counts.sum()))
    return np.sort(times), period_s


def _period_s(gaps: Sequence[float]) -> float:
    """Return the length of a period. CloudWatch leaves out empty ones, so a gap may be several of them."""
    shortest = min(gaps)
    common = gcd(*(round(gap) for gap in gaps))
    return shortest if common < LEAST_PERIOD_S or shortest >= DAY_S else min(common, shortest)


def _of_requests(results: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the metric that counts requests, which may come in pages. Raises TraceError."""
    named = {(each.get("Id"), each.get("Label")) for each in results}
    if len(named) < 2:
        return results
    counting = [name for name in named if name[1] == REQUESTS]
    if len(counting) != 1:
        labels = ", ".join(sorted(str(label) for _, label in named))
        raise TraceError(
            f"Of several metrics ({labels}), one must be the {REQUESTS} that are to be replayed.",
            hint=f"aws cloudwatch get-metric-statistics --metric-name {REQUESTS} --statistics Sum ...",
        )
    return [each for each in results if (each.get("Id"), each.get("Label")) == counting[0]]


def _count(point: Mapping[str, Any]) -> float:
    for name in STATISTICS:
        if name in point and (name != "Sum" or point.get("Unit", "None") in COUNTING):
            return _number(point[name])
    raise TraceError("The metric has no Sum and no SampleCount of requests.", hint="--statistics Sum")


def _number(value: str | float) -> float:
    number = float(value)
    if not 0 <= number < inf:
        raise ValueError(f"{value!r} is no count")
    return number

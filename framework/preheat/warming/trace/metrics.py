"""Counts by period, as CloudWatch exports them, to single arrivals. Pure, by a seed."""

from collections.abc import Mapping
from datetime import UTC
from itertools import pairwise
from math import inf
from statistics import median
from typing import Any

import numpy as np

from preheat.warming.trace.model import MOST, Floats, TraceError
from preheat.warming.trace.moments import read_epoch, read_moment

STATISTICS = ("Sum", "SampleCount")


def periods(document: Any) -> list[tuple[float, float]] | None:
    """Return the begin and the count of each period; None where the document is no metric.

    `aws cloudwatch get-metric-statistics` prints Datapoints, `get-metric-data` MetricDataResults. Raises
    TraceError, and KeyError, TypeError or ValueError where a period is not as they print it.
    """
    if not isinstance(document, Mapping):
        return None
    points = document.get("Datapoints")
    if isinstance(points, list):
        return [(_moment(each["Timestamp"]), _count(each)) for each in points]
    results = document.get("MetricDataResults")
    if isinstance(results, list):
        pairs = (zip(each["Timestamps"], each["Values"], strict=True) for each in results)
        return [(_moment(when), _number(value)) for each in pairs for when, value in each]
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
    period_s = median(after - before for before, after in pairwise(begins))
    when = np.array([each for each, _ in counted])
    counts = np.array([round(value) for _, value in counted])
    times = np.repeat(when, counts) + np.random.default_rng(seed).uniform(0, period_s, int(counts.sum()))
    return np.sort(times), period_s


def _count(point: Mapping[str, Any]) -> float:
    for name in STATISTICS:
        if name in point:
            return _number(point[name])
    raise TraceError("The metric has no Sum and no SampleCount.", hint="--statistics Sum")


def _number(value: str | float) -> float:
    number = float(value)
    if not 0 <= number < inf:
        raise ValueError(f"{value!r} is no count")
    return number


def _moment(value: str | float) -> float:
    return read_moment(value, UTC) if isinstance(value, str) else read_epoch(value)

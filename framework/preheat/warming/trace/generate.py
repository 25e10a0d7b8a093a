"""Arrivals made up: `20/h`, evenly at random or in bursts. The same seed makes the same trace."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from preheat.warming.trace.model import Trace, TraceError, trace_of

RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/|per )\s*(s|second|m|min|minute|h|hour|d|day)")
UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MONDAY = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
WEEK_S = 7 * 86400.0
MOST, LEAST = 10_000_000, 200
"""How many requests are made: a week of them, or as long as it takes."""

BURST = 10
"""How many requests a burst has on average."""
WITHIN_S = 5.0
"""The mean gap within a burst."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second."""

    per_s: float
    text: str


def read_rate(text: str) -> Rate:
    """Return `20/h`, `3 per minute` as a rate. Raises TraceError."""
    found = RATE.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        raise TraceError(f"{text!r} is no rate.", hint='--rate "20/h"  # or /s, /min, /day')
    return Rate(float(found[1]) / UNIT_S[found[2][0]], text.strip())


def generate(rate: Rate, *, bursty: bool, seed: int) -> Trace:
    """Return a trace of a week or, where that has too few or too many requests, of as many as are useful.

    Poisson arrivals; with `bursty` the bursts are Poisson, each with a geometric number of requests.
    """
    random = np.random.default_rng(seed)
    count = int(min(MOST, max(LEAST, rate.per_s * WEEK_S)))
    if bursty:
        sizes = random.geometric(1 / BURST, size=max(2, count // BURST))
        begins = np.cumsum(random.exponential(BURST / rate.per_s, size=len(sizes)))
        within = random.exponential(WITHIN_S, size=int(sizes.sum()))
        firsts = np.cumsum(sizes) - sizes
        within[firsts] = 0.0
        run = np.cumsum(within)
        times = np.repeat(begins - run[firsts], sizes) + run
    else:
        times = np.cumsum(random.exponential(1 / rate.per_s, size=count))
    times = np.sort(times) + MONDAY
    shape = f"bursts of {BURST} on average" if bursty else "evenly at random"
    note = f"Made up: {rate.text}, {shape}, {len(times):,} requests, seed {seed}."
    return trace_of(times, source="This rate", notes=(note,))

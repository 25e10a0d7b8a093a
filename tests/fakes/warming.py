"""Options, traces and closed forms for tests of the planner."""

from math import exp, factorial
from typing import Any

import numpy as np

from preheat.provider.warm_options import Rates, WarmOption
from preheat.warming.planner import Plan, plan
from preheat.warming.simulate import Outcome, Replay
from preheat.warming.start import ColdStart
from preheat.warming.trace.model import Floats, Trace

START = 1_767_571_200.0
"""2026-01-05, a Monday, 00:00 UTC."""


def option(**fields: Any) -> WarmOption:
    """Return an option that costs nothing and keeps nothing, but for `fields`."""
    return WarmOption(**{"name": "test", "rates": Rates(), "basis": "", **fields})


def trace(*arrivals: float, start: float = START) -> Trace:
    """Return a trace with these arrivals, in seconds after `start`."""
    moments = np.array(arrivals, dtype=np.float64)
    return Trace(start=start + arrivals[0], arrivals=moments - arrivals[0])


def poisson(rate: float, count: int, *, seed: int = 1) -> Trace:
    """Return Poisson arrivals, `rate` a second."""
    gaps = np.random.default_rng(seed).exponential(1 / rate, count)
    return Trace(start=START, arrivals=np.cumsum(gaps) - gaps[0])


def replayed(of: Trace, *, cold_s: float = 1e-9, service_s: float | Floats = 1e-9, **fields: Any) -> Outcome:
    """Replay `of` under one option made of `fields`."""
    cold = ColdStart(p50_ms=cold_s * 1000, p95_ms=cold_s * 1000)
    services = np.atleast_1d(np.asarray(service_s, dtype=np.float64))
    return Replay(trace=of, cold=cold, services_s=services).run(option(**fields))


def erlang_b(servers: int, load: float) -> float:
    """Return the share of calls that find all of `servers` busy and go away; `load` is in erlangs."""
    terms = [load**each / factorial(each) for each in range(servers + 1)]
    return terms[-1] / sum(terms)


def erlang_c(servers: int, load: float) -> float:
    """Return the share of calls that wait, where they do."""
    blocked = erlang_b(servers, load)
    return blocked / (1 - load / servers * (1 - blocked))


def poisson_share(mean: float, most: int) -> float:
    """Return how probable `most` or fewer are."""
    return sum(exp(-mean) * mean**each / factorial(each) for each in range(most + 1))


def two_choices() -> Plan:
    """Return a plan with a pool that stops and one that always runs."""
    cold = ColdStart(p50_ms=1000, p95_ms=1000)
    replay = Replay(trace=poisson(1 / 60, 200), cold=cold, services_s=np.array([0.1]))
    return plan([option(name="stops"), option(name="runs", kind="kept", least=1)], replay)

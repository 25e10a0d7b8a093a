"""The histogram policy beside a fixed keep-alive of ten minutes: no more memory, and fewer cold starts."""

from pathlib import Path

import numpy as np
import pytest
from tests.fakes.warming import START, poisson, replayed

from preheat.warming.simulate import Outcome
from preheat.warming.trace.model import Trace
from preheat.warming.trace.read import read_trace

DATA = Path(__file__).parents[2] / "data" / "azure-llm-code.csv.gz"
IDLE_S = 600.0


def both(trace: Trace) -> tuple[Outcome, Outcome]:
    """Return what a fixed time and the policy come to."""
    fixed, learned = (
        replayed(trace, cold_s=1.0, service_s=0.1, most=100, idle_s=IDLE_S, adaptive=adaptive)
        for adaptive in (False, True)
    )
    return fixed, learned


def of(gaps: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Trace:
    return Trace(start=START, arrivals=np.cumsum(gaps) - gaps[0])


def test_on_the_public_trace_at_a_lower_rate_fewer_requests_are_cold() -> None:
    trace = read_trace(DATA)
    fixed, learned = both(Trace(start=trace.start, arrivals=trace.arrivals * 1000))
    assert learned.totals.worker_s <= 1.01 * fixed.totals.worker_s
    assert learned.cold < 0.9 * fixed.cold


@pytest.mark.parametrize("minutes", [12, 15, 30, 60])
def test_a_request_at_regular_times_finds_a_worker_that_was_started_for_it(minutes: int) -> None:
    gaps = np.random.default_rng(1).normal(minutes * 60.0, 20.0, 1000)
    fixed, learned = both(of(gaps))
    assert fixed.cold == 1000
    assert learned.cold < 10
    assert learned.totals.worker_s < fixed.totals.worker_s


@pytest.mark.parametrize("per_hour", [1, 4, 12, 60])
def test_requests_at_random_cost_no_more_memory_and_no_more_cold_starts_than_chance(per_hour: int) -> None:
    fixed, learned = both(poisson(per_hour / 3600, 20_000))
    assert learned.totals.worker_s <= 1.02 * fixed.totals.worker_s
    assert learned.cold <= 1.02 * fixed.cold + 5


def test_when_regular_traffic_ends_what_was_saved_is_spent_within_bounds() -> None:
    random = np.random.default_rng(1)
    gaps = np.concatenate([random.normal(900.0, 5.0, 5000), random.exponential(7200.0, 500)])
    fixed, learned = both(of(gaps))
    later = of(gaps[5000:])
    assert learned.totals.worker_s <= 1.02 * fixed.totals.worker_s
    assert (
        learned.totals.worker_s - both(of(gaps[:5000]))[1].totals.worker_s
        <= both(later)[0].totals.worker_s + 250 * IDLE_S
    )

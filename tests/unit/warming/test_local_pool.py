"""The simulator beside the local provider's own pool, on virtual time: the same trace, the same counts."""

import numpy as np
import pytest
from tests.fakes.timed_pool import replay_on_a_pool
from tests.fakes.warming import START, replayed

from preheat.project.model import Scaling
from preheat.warming.trace.model import Trace

COLD_S, SERVICE_S = 2.0, 0.7


def bursts(count: int, *, gap_s: float, seed: int) -> Trace:
    """Return bursts of one to five requests within a few seconds, `gap_s` apart on average."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 6, count)
    begins = np.repeat(np.cumsum(random.exponential(gap_s, count)), sizes)
    times = np.sort(begins + random.uniform(0, 4, len(begins)))
    return Trace(start=START, arrivals=times - times[0])


@pytest.mark.parametrize(
    "scaling",
    [
        Scaling(max=1, idle_s=30),
        Scaling(max=1, idle_s=0),
        Scaling(max=4, idle_s=30),
        Scaling(max=4, idle_s=30, warm=1),
        Scaling(max=4, idle_s=10, min=1),
        Scaling(max=3, idle_s=120, min=2, warm=1),
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_pool_with_idle_times_has_the_cold_starts_that_were_predicted(scaling: Scaling, seed: int) -> None:
    trace = bursts(150, gap_s=40, seed=seed)
    seen = replay_on_a_pool(list(trace.arrivals), scaling, cold_s=COLD_S, service_s=SERVICE_S)
    predicted = replayed(
        trace,
        cold_s=COLD_S,
        service_s=SERVICE_S,
        least=scaling.min,
        buffer=scaling.warm,
        most=scaling.max,
        idle_s=scaling.idle_s,
    )
    at_first = max(scaling.min, scaling.warm)
    assert predicted.totals.starts + at_first == pytest.approx(seen.starts, rel=0.05, abs=2)
    assert predicted.mean_added_ms / 1000 == pytest.approx(np.mean(seen.waits_s), rel=0.05, abs=0.02)
    assert predicted.totals.worker_s == pytest.approx(seen.alive_s, rel=0.05)
    assert predicted.cold == pytest.approx(seen.cold, rel=0.05, abs=2)


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("gap_s", [150, 1500])
def test_a_pool_with_the_histogram_policy_has_the_cold_starts_that_were_predicted(
    most: int, gap_s: float
) -> None:
    trace = bursts(300, gap_s=gap_s, seed=3)
    scaling = Scaling(max=most, idle_s=300)
    seen = replay_on_a_pool(list(trace.arrivals), scaling, cold_s=COLD_S, service_s=SERVICE_S, histogram=True)
    predicted = replayed(
        trace, cold_s=COLD_S, service_s=SERVICE_S, most=most, idle_s=scaling.idle_s, adaptive=True
    )
    assert predicted.totals.starts == pytest.approx(seen.starts, rel=0.05, abs=2)
    assert predicted.cold == pytest.approx(seen.cold, rel=0.05, abs=2)
    assert predicted.totals.worker_s == pytest.approx(seen.alive_s, rel=0.05)
    assert predicted.mean_added_ms / 1000 == pytest.approx(np.mean(seen.waits_s), rel=0.05, abs=0.02)

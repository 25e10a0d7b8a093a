import numpy as np
import pytest

from preheat.warming.trace.generate import BURST, LEAST, generate, read_rate
from preheat.warming.trace.model import TraceError


@pytest.mark.parametrize(
    ("text", "per_s"), [("20/h", 20 / 3600), ("3 per minute", 0.05), ("2/s", 2), ("1.5/day", 1.5 / 86400)]
)
def test_a_rate_is_read(text: str, per_s: float) -> None:
    assert read_rate(text).per_s == pytest.approx(per_s)


@pytest.mark.parametrize("text", ["", "20", "often", "0/h", "-1/h", "20/year"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(TraceError, match="is no rate"):
        read_rate(text)


@pytest.mark.parametrize("bursty", [False, True])
def test_a_made_up_trace_has_its_rate_and_repeats_by_its_seed(bursty: bool) -> None:
    rate = read_rate("60/h")
    trace = generate(rate, bursty=bursty, seed=3)
    assert len(trace.arrivals) / trace.duration_s == pytest.approx(rate.per_s, rel=0.1)
    assert list(trace.arrivals[:50]) == list(generate(rate, bursty=bursty, seed=3).arrivals[:50])
    assert list(trace.arrivals[:50]) != list(generate(rate, bursty=bursty, seed=4).arrivals[:50])
    assert "seed 3" in trace.notes[0]


def test_bursts_come_together() -> None:
    even, bursty = (generate(read_rate("6/h"), bursty=each, seed=1) for each in (False, True))
    near = [float(np.mean(np.diff(each.arrivals) < 60)) for each in (even, bursty)]
    assert near[0] < 0.15
    assert near[1] == pytest.approx(1 - 1 / BURST, abs=0.05)


def test_a_rare_function_gets_a_trace_that_is_long_enough() -> None:
    assert len(generate(read_rate("1/day"), bursty=False, seed=1).arrivals) == LEAST

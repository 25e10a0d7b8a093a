import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.warming.histogram import (
    BIN_S,
    BINS,
    FORECAST_MARGIN,
    LEAST_SAMPLES,
    MARGIN,
    RANGE_S,
    no_gaps,
    record,
    window,
)
from preheat.warming.kernel import _levels, _record, _window


def learned(*minutes: float) -> tuple[float, float]:
    gaps = no_gaps(1)
    for each in minutes:
        record(gaps, 0, each * 60)
    return window(gaps, 0)


def test_what_is_unknown_stays_for_the_whole_range() -> None:
    assert learned() == (0.0, RANGE_S)
    assert learned(*[10.0] * (LEAST_SAMPLES - 1)) == (0.0, RANGE_S)


def test_a_regular_gap_ends_the_worker_and_starts_it_again_before_its_time() -> None:
    opens, closes = learned(*[30.5] * 50)
    assert opens == pytest.approx(30 * BIN_S * (1 - MARGIN))
    assert closes == pytest.approx(31 * BIN_S * (1 + MARGIN))


def test_the_rarest_hundredth_of_gaps_is_not_waited_for() -> None:
    assert learned(*[1.5] * 990, *[100.0] * 5)[1] == pytest.approx(2 * BIN_S * (1 + MARGIN))
    assert learned(*[1.5] * 900, *[100.0] * 20)[1] == pytest.approx(101 * BIN_S * (1 + MARGIN))


def test_gaps_that_begin_at_once_leave_the_worker_where_it_is() -> None:
    opens, closes = learned(*[0.5] * 90, *[20.5] * 10)
    assert opens == 0.0
    assert closes == pytest.approx(21 * BIN_S * (1 + MARGIN))


def test_gaps_of_every_length_say_nothing() -> None:
    assert learned(*(place + 0.5 for place in range(BINS))) == (0.0, RANGE_S)


def test_gaps_beyond_the_range_are_forecast_one_by_one() -> None:
    day = 24 * 60.0
    opens, closes = learned(*[day] * 10)
    assert opens == pytest.approx(day * 60 * (1 - FORECAST_MARGIN))
    assert closes == pytest.approx(day * 60 * (1 + FORECAST_MARGIN))


def test_levels_are_learned_apart() -> None:
    gaps = no_gaps(2)
    for _ in range(10):
        record(gaps, 0, 90.0)
    assert window(gaps, 1) == (0.0, RANGE_S)
    assert window(gaps, 0)[1] < RANGE_S


@given(st.lists(st.floats(min_value=0, max_value=20 * 3600), max_size=60))
def test_what_numba_compiles_says_what_python_does(seconds: list[float]) -> None:
    plain = no_gaps(1)
    _, compiled = _levels(1, True)
    for each in seconds:
        record(plain, 0, each)
        _record(compiled, 0, each)
    assert _window(compiled, 0) == pytest.approx(window(plain, 0))

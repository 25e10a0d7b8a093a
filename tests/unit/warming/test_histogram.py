import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.warming.histogram import (
    BIN_S,
    FORECAST_MARGIN,
    LEAST_SAMPLES,
    MARGIN,
    MOST_SAVED,
    no_gaps,
    record,
    window,
)
from preheat.warming.kernel import _levels, _record, _window

IDLE_S = 600.0


def learned(*minutes: float, saved_s: float = 0.0) -> tuple[float, float]:
    gaps = no_gaps(1)
    for each in minutes:
        record(gaps, 0, each * 60, min(each * 60, IDLE_S), IDLE_S)
    gaps.saved[0] += saved_s
    return window(gaps, 0, IDLE_S)


def test_what_is_unknown_stays_for_the_idle_time() -> None:
    assert learned() == (0.0, IDLE_S)
    assert learned(*[30.0] * (LEAST_SAMPLES - 1)) == (0.0, IDLE_S)


def test_a_regular_gap_ends_the_worker_and_starts_it_again_before_its_time() -> None:
    opens, closes = learned(*[30.5] * 50)
    assert opens == pytest.approx(30 * BIN_S * (1 - MARGIN))
    assert closes == pytest.approx(31 * BIN_S * (1 + MARGIN))


@pytest.mark.parametrize("seed", range(5))
def test_gaps_without_a_pattern_never_let_a_worker_go_to_start_it_again(seed: int) -> None:
    at_random = np.random.default_rng(seed).exponential(20, 100)
    assert learned(*at_random)[0] == 0.0


def test_gaps_that_begin_at_once_leave_the_worker_where_it_is() -> None:
    opens, closes = learned(*[0.5] * 90, *[11.5] * 10)
    assert opens == 0.0
    assert closes == pytest.approx(12 * BIN_S * (1 + MARGIN))


def test_a_gap_that_is_too_rare_for_its_length_is_not_waited_for() -> None:
    rare = (*[1.5] * 990, *[100.0] * 10)
    assert learned(*rare)[1] == pytest.approx(2 * BIN_S * (1 + MARGIN))
    assert learned(*[1.5] * 50, *[15.0] * 50)[1] == pytest.approx(16 * BIN_S * (1 + MARGIN))


def test_what_was_saved_is_spent_on_rarer_gaps_and_what_was_overdrawn_is_saved_again() -> None:
    some = (*[1.5] * 80, *[50.5] * 20)
    assert learned(*some)[1] == pytest.approx(2 * BIN_S * (1 + MARGIN))
    assert learned(*some, saved_s=50 * IDLE_S)[1] == pytest.approx(51 * BIN_S * (1 + MARGIN))
    assert learned(*[8.5] * 50, *[200.0] * 40, saved_s=-100 * IDLE_S) == (0.0, 0.0)


def test_where_every_gap_was_short_a_longer_one_is_waited_for_as_ever() -> None:
    assert learned(*[0.5] * 50) == (0.0, IDLE_S)


def test_gaps_beyond_the_range_are_forecast_one_by_one_where_that_is_worth_it() -> None:
    five_hours = 5 * 60.0
    opens, closes = learned(*[five_hours] * 10, saved_s=50 * IDLE_S)
    assert opens == pytest.approx(five_hours * 60 * (1 - FORECAST_MARGIN))
    assert closes == pytest.approx(five_hours * 60 * (1 + FORECAST_MARGIN))
    assert learned(*[five_hours] * 10) == (0.0, 0.0)


def test_what_is_saved_counts_the_kept_time_against_the_idle_time_and_has_bounds() -> None:
    gaps = no_gaps(1)
    record(gaps, 0, 60.0, 60.0, IDLE_S)
    assert gaps.saved[0] == 0.0
    record(gaps, 0, 900.0, 0.0, IDLE_S)
    assert gaps.saved[0] == IDLE_S
    record(gaps, 0, 9000.0, 9000.0, IDLE_S)
    assert gaps.saved[0] == 2 * IDLE_S - 9000.0
    for _ in range(1000):
        record(gaps, 0, 900.0, 0.0, IDLE_S)
    assert gaps.saved[0] == MOST_SAVED * IDLE_S


def test_levels_are_learned_apart() -> None:
    gaps = no_gaps(2)
    for _ in range(10):
        record(gaps, 0, 1830.0, 600.0, IDLE_S)
    assert window(gaps, 1, IDLE_S) == (0.0, IDLE_S)
    assert window(gaps, 0, IDLE_S)[0] > 0


@pytest.mark.parametrize("idle_s", [0.0, 60.0])
def test_an_idle_time_of_few_bins_is_kept_as_it_is(idle_s: float) -> None:
    gaps = no_gaps(1)
    for _ in range(50):
        record(gaps, 0, 630.0, idle_s, idle_s)
    assert window(gaps, 0, idle_s) == (0.0, idle_s)


@given(st.lists(st.floats(min_value=0, max_value=20 * 3600), max_size=60))
def test_what_numba_compiles_says_what_python_does(seconds: list[float]) -> None:
    plain = no_gaps(1)
    _, compiled = _levels(1, True)
    for each in seconds:
        for add, gaps in ((record, plain), (_record, compiled)):
            add(gaps, 0, each, each / 2, IDLE_S)
    assert _window(compiled, 0, IDLE_S) == pytest.approx(window(plain, 0, IDLE_S))

import statistics

import pytest

from preheat.coldstart.model import Condition, Spread, Verdict, quantile


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_the_middle_is_the_median(count: int) -> None:
    figures = [float(number * number) for number in range(count)]
    assert quantile(figures, 0.5) == statistics.median(figures)


def test_the_upper_end_lies_between_the_two_largest_of_a_few() -> None:
    found = Spread.of([10.0, 30.0, 20.0])
    assert (found.p50, found.p95) == pytest.approx((20.0, 29.0))


def test_a_budget_that_is_just_met_is_kept() -> None:
    assert Verdict(key="ratio", limit=2.0, measured=2.0).kept
    assert not Verdict(key="ratio", limit=2.0, measured=2.001).kept


def test_a_condition_says_what_it_is() -> None:
    assert str(Condition("cold", "one")) == "cold page cache, one core"

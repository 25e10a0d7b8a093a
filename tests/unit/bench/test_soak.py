"""Growth under a long load."""

import pytest
from tests.bench.serving.figures import Point
from tests.bench.serving.processes import Usage
from tests.bench.serving.soak import Sample, ends, slope, summary


def samples(*rss_mb: float) -> list[Sample]:
    return [Sample(5.0 * number, Usage(0, rss, 0, 20, 1)) for number, rss in enumerate(rss_mb)]


def test_the_slope_of_a_line_is_found() -> None:
    assert slope([(x, 3 + 0.5 * x) for x in range(10)]) == pytest.approx(0.5)


def test_one_outlier_does_not_move_the_slope() -> None:
    assert slope([(x, 1000.0 if x == 4 else 2.0) for x in range(11)]) == 0.0


def test_nothing_grows_with_fewer_than_two_samples() -> None:
    assert not slope([])
    assert not slope([(1.0, 2.0)])


def test_what_fills_up_at_the_start_is_no_growth() -> None:
    found = summary(1, [], samples(100, 150, *[200] * 8))
    assert found.rss_mb == (200.0, 200.0)
    assert found.rss_mb_per_hour == 0


def test_a_leak_is_reported_per_hour() -> None:
    found = summary(1, [], samples(*range(100, 200)))
    assert found.rss_mb_per_hour == pytest.approx(3600 / 5)


def test_bad_answers_are_added_up() -> None:
    found = summary(1, [Point(1, 1, 1, 100, failed=1, wrong=2), Point(1, 1, 1, 50, failed=3)], samples(1, 1))
    assert (found.requests, found.failed, found.wrong) == (150, 4, 2)


def test_the_ends_are_medians_so_that_one_odd_sample_does_not_stand_for_a_fifth() -> None:
    first, last = [1.0, 1.0, 90.0], [4.0, 4.0, 0.0]
    assert ends([(float(x), y) for x, y in enumerate([*first, *[2.0] * 9, *last])]) == (1.0, 4.0)

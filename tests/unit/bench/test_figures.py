"""Medians and ratios over rounds."""

import pytest
from tests.bench.serving.figures import Place, Point, Record, best, median, ratio


def point(rps: float, p50_ms: float | None = 1.0) -> Point:
    return Point(rps, p50_ms, p50_ms, 100)


def test_a_ratio_is_the_median_of_the_ratios_within_each_round() -> None:
    # The machine slows down in round 1, and in round 2 one of the two was disturbed.
    assert ratio({0: 200.0, 1: 100.0, 2: 900.0}, {0: 100.0, 1: 50.0, 2: 100.0}) == 2.0


def test_a_round_that_only_one_of_two_has_is_left_out_of_their_ratio() -> None:
    assert ratio({0: 10.0, 1: 90.0}, {0: 5.0, 2: 1.0}) == 2.0


@pytest.mark.parametrize("other", [{}, {7: 1.0}, {0: 0.0}])
def test_there_is_no_ratio_without_a_shared_round(other: dict[int, float]) -> None:
    assert ratio({0: 10.0}, other) is None


def test_the_best_of_several_is_chosen_in_each_round() -> None:
    assert best([{0: 1.0, 1: 9.0}, {0: 5.0, 1: 2.0}]) == {0: 5.0, 1: 9.0}


def test_the_median_of_nothing_is_nothing() -> None:
    assert median({}) is None
    assert median({0: 1.0, 1: 5.0, 2: 3.0}) == 3.0


def test_a_record_gives_each_quantity_by_round() -> None:
    record = Record()
    record.add(Place("noop", "asgi", 32), 0, point(10, 2.0))
    record.add(Place("noop", "asgi", 32), 2, point(30, 4.0))
    assert record.series("noop", "asgi", 32) == {0: 10, 2: 30}
    assert record.series("noop", "asgi", 32, "p50_ms") == {0: 2.0, 2: 4.0}
    assert record.series("noop", "asgi", 1) == {}


def test_what_has_no_latency_has_no_series_of_latencies() -> None:
    record = Record()
    record.add(Place("embedding", "raw-loop", 8), 0, point(10, None))
    assert record.series("embedding", "raw-loop", 8, "p99_ms") == {}


def test_a_record_lists_contenders_in_order_of_appearance_and_connections_ascending() -> None:
    record = Record()
    for name, connections in (("b", 32), ("a", 1), ("b", 1)):
        record.add(Place("noop", name, connections), 0, point(1))
    assert record.contenders("noop") == ["b", "a"]
    assert record.connections("noop") == [1, 32]


def test_what_a_probe_found_wrong_is_added_to_a_point() -> None:
    probed = Point(1, 1, 1, 100, wrong=2).with_probe(10, 3)
    assert (probed.probed, probed.wrong) == (10, 5)


def test_the_processor_time_is_shared_by_all_requests_also_those_of_the_probe() -> None:
    assert Point(1, 1, 1, 90, probed=10).with_cpu(0.2).cpu_us == pytest.approx(2000)

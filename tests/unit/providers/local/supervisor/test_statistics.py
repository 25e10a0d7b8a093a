from preheat_providers.local.supervisor.statistics import WINDOW, Statistics, percentile


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile(list(map(float, range(1, 101))), 0.95) == 95.0


def test_cold_and_warm_latencies_are_kept_apart_and_errors_tell_none() -> None:
    statistics = Statistics()
    statistics.record(ms=900, cold=True, status=200)
    statistics.record(ms=10, cold=False, status=200)
    statistics.record(ms=1, cold=False, status=503)
    statistics.record(ms=1, cold=False, status=400)
    assert (statistics.requests, statistics.errors, statistics.cold_starts) == (4, 1, 1)
    assert statistics.cold_ms_p50 == 900
    assert statistics.warm_ms(0.95) == 10


def test_only_recent_latencies_count_and_memory_is_bounded() -> None:
    statistics = Statistics()
    for ms in (1000.0, *[5.0] * WINDOW):
        statistics.record(ms=ms, cold=False, status=200)
    assert statistics.warm_ms(1.0) == 5.0

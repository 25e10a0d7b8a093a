"""What one option means to a pool, by traces that can be followed by hand."""

import numpy as np
import pytest
from tests.fakes.warming import START, option, poisson, replayed, trace

from preheat.provider.warm_options import LeastHours
from preheat.warming.simulate import Replay
from preheat.warming.start import ColdStart

DAY_S = 86400.0


def test_a_request_waits_for_its_start_and_who_comes_meanwhile_for_the_rest_of_it() -> None:
    outcome = replayed(trace(0, 1, 100), cold_s=2, service_s=0.5, most=1, idle_s=10)
    assert outcome.cold == 3, "the second found no worker ready either"
    assert outcome.mean_added_ms == pytest.approx((2000 + 1500 + 2000) / 3)


def test_a_bound_request_waits_for_its_own_worker_though_another_is_free_before() -> None:
    arrivals = trace(0, 0.5, 100)
    own = replayed(arrivals, cold_s=2, service_s=0.1, idle_s=10, bound=True)
    any_free = replayed(arrivals, cold_s=2, service_s=0.1, idle_s=10)
    assert own.mean_added_ms == pytest.approx(2000)
    assert any_free.mean_added_ms == pytest.approx((2000 + 1600 + 2000) / 3)


def test_a_bound_request_is_at_work_only_when_its_worker_has_started() -> None:
    outcome = replayed(trace(0, 100), cold_s=2, service_s=0.5, idle_s=10, bound=True)
    assert outcome.totals.busy_s == pytest.approx(1.0)
    assert outcome.totals.start_s == pytest.approx(4.0)


def test_workers_that_always_run_are_never_cold_and_exist_all_the_time() -> None:
    outcome = replayed(trace(0, 50, 100), cold_s=2, service_s=0.5, least=2)
    assert (outcome.cold, outcome.totals.starts) == (0, 0)
    assert outcome.totals.worker_s == pytest.approx(2 * outcome.duration_s)


def test_a_buffer_takes_a_second_request_at_once() -> None:
    arrivals = trace(0, 10, 11, 100)
    alone = replayed(arrivals, cold_s=3, service_s=5, idle_s=30)
    buffered = replayed(arrivals, cold_s=3, service_s=5, idle_s=30, buffer=1)
    assert (alone.cold, buffered.cold) == (3, 0)
    assert buffered.totals.worker_s > 2 * alone.totals.worker_s


def test_a_buffer_that_only_stands_beside_the_busy_goes_when_nobody_works() -> None:
    arrivals = trace(0, 1000)
    always = replayed(arrivals, cold_s=1, service_s=1, buffer=1)
    beside = replayed(arrivals, cold_s=1, service_s=1, buffer=1, buffer_when_idle=False)
    assert beside.totals.worker_s < 20 < 900 < always.totals.worker_s


def test_one_start_serves_a_backlog() -> None:
    burst = trace(*[0.0] * 10, 100)
    assert replayed(burst, cold_s=5, service_s=0.1, backlog=10).totals.starts == 2
    assert replayed(burst, cold_s=5, service_s=0.1, backlog=0).totals.starts == 11


def test_pings_keep_one_worker_and_count_as_no_request() -> None:
    every_hour = trace(0.0, *(3600.0 * each + 30 for each in range(1, 24)))
    cold = replayed(every_hour, idle_s=600)
    pinged = replayed(every_hour, idle_s=600, ping_every_s=300.0, ping_s=0.1)
    assert (cold.cold, pinged.cold) == (24, 1)
    assert (pinged.requests, pinged.pings) == (24, 24 * 12 + 1)


def test_pings_further_apart_than_the_keep_alive_keep_nothing() -> None:
    every_hour = trace(0.0, *(3600.0 * each + 800 for each in range(1, 24)))
    assert replayed(every_hour, idle_s=600, ping_every_s=900.0).cold == 24


def test_a_worker_that_is_replaced_for_its_age_is_cold_though_it_was_pinged() -> None:
    often = trace(*(60.0 * each for each in range(24 * 60)))
    assert replayed(often, idle_s=600, lifetime_s=7200.0, bound=True).cold == 12


def test_hours_say_how_many_always_run() -> None:
    hours = (
        LeastHours(cron="0 8 * * *", timezone="UTC", least=1),
        LeastHours(cron="0 18 * * *", timezone="UTC", least=0),
    )
    noons = trace(*(DAY_S * day + 12 * 3600 for day in range(4)))
    midnights = trace(*(DAY_S * day for day in range(4)))
    assert replayed(noons, hours=hours).cold == 0
    assert replayed(midnights, hours=hours).cold == 4
    kept = replayed(noons, hours=hours)
    assert kept.totals.least_s == pytest.approx(kept.duration_s * 10 / 24, rel=0.01)


def test_hours_count_in_their_own_time_zone() -> None:
    berlin = (
        LeastHours(cron="0 0 * * *", timezone="Europe/Berlin", least=1),
        LeastHours(cron="30 0 * * *", timezone="Europe/Berlin", least=0),
    )
    at_23_15_utc = trace(*(DAY_S * day + 23.25 * 3600 for day in range(3)), start=START)
    at_00_15_utc = trace(*(DAY_S * day + 0.25 * 3600 for day in range(3)), start=START)
    assert replayed(at_23_15_utc, hours=berlin).cold == 0
    assert replayed(at_00_15_utc, hours=berlin).cold == 3


def test_a_start_takes_its_share_and_what_the_platform_adds() -> None:
    outcome = replayed(trace(0, 100), cold_s=2, start_ratio=0.5, start_extra_s=60.0, most=1, idle_s=5)
    assert outcome.added_ms == pytest.approx((61_000, 61_000, 61_000))


@pytest.mark.parametrize("cold_ms", [300.0, 1800.7, 60_100.1])
def test_an_aim_of_just_what_a_start_takes_is_met(cold_ms: float) -> None:
    moments = (2419.9 * each for each in range(200))
    outcome = replayed(trace(*moments), cold_s=cold_ms / 1000, idle_s=5)
    assert outcome.added_ms == (cold_ms, cold_ms, cold_ms)


def test_the_same_seed_gives_the_same_result_and_another_one_another() -> None:
    arrivals = poisson(1 / 60, 500)
    cold = ColdStart(p50_ms=1000, p95_ms=4000)

    def mean(seed: int) -> float:
        replay = Replay(trace=arrivals, cold=cold, services_s=np.array([0.1]), seed=seed)
        return replay.run(option(idle_s=10)).mean_added_ms

    assert mean(1) == mean(1) != mean(2)

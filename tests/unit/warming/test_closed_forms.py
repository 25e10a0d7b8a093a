"""The simulator beside what queueing theory says of the same pools."""

from math import exp

import numpy as np
import pytest
from tests.fakes.warming import erlang_b, erlang_c, poisson, poisson_share, replayed, trace

from preheat.warming.planner import demand_of

MANY = 200_000


@pytest.mark.parametrize("idle_s", [10.0, 60.0, 180.0])
def test_poisson_arrivals_at_one_worker_are_cold_as_often_as_a_gap_outlasts_the_keep_alive(
    idle_s: float,
) -> None:
    rate = 1 / 60
    outcome = replayed(poisson(rate, MANY), idle_s=idle_s, most=1)
    assert outcome.cold_share == pytest.approx(exp(-rate * idle_s), rel=0.02)


@pytest.mark.parametrize("idle_s", [10.0, 180.0])
def test_the_time_that_a_worker_exists_is_what_the_gaps_leave_of_the_keep_alive(idle_s: float) -> None:
    rate = 1 / 60
    outcome = replayed(poisson(rate, MANY), idle_s=idle_s, most=1)
    expected = (1 - exp(-rate * idle_s)) / rate
    assert outcome.totals.worker_s / outcome.requests == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("services", ["constant", "exponential"])
def test_without_a_limit_as_many_are_busy_as_come_in_one_service(services: str) -> None:
    arrivals = poisson(5.0, MANY)
    drawn = np.random.default_rng(2).exponential(0.8, MANY)
    service_s = np.full(MANY, 0.8) if services == "constant" else drawn
    outcome = replayed(arrivals, service_s=service_s, bound=True, most=1000)
    assert outcome.totals.busy_s / outcome.duration_s == pytest.approx(5.0 * 0.8, rel=0.02)
    at_arrivals = demand_of(arrivals, service_s).levels
    assert at_arrivals[-1] > at_arrivals[-2] >= 4
    assert poisson_share(4.0, at_arrivals[-2] - 1) == pytest.approx(0.99, abs=0.01)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 2.0), (10, 8.0)])
@pytest.mark.parametrize("services", ["constant", "exponential"])
def test_what_does_not_fit_into_what_is_provisioned_is_what_erlang_b_says(
    servers: int, load: float, services: str
) -> None:
    """Erlang B holds for any distribution of the service: M/G/c/c."""
    drawn = np.random.default_rng(3).exponential(load, MANY)
    service_s = np.full(MANY, load) if services == "constant" else drawn
    outcome = replayed(poisson(1.0, MANY), service_s=service_s, least=servers, bound=True, idle_s=0.0)
    assert outcome.cold_share == pytest.approx(erlang_b(servers, load), rel=0.03)
    carried = load * (1 - erlang_b(servers, load))
    assert outcome.totals.least_busy_s / outcome.duration_s == pytest.approx(carried, rel=0.02)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 2.0), (10, 8.0)])
def test_who_waits_for_a_fixed_pool_is_what_erlang_c_says(servers: int, load: float) -> None:
    service_s = np.random.default_rng(4).exponential(load, 4 * MANY)
    outcome = replayed(poisson(1.0, 4 * MANY), service_s=service_s, least=servers, most=servers)
    assert outcome.cold == 0
    waiting = erlang_c(servers, load)
    assert outcome.mean_added_ms / 1000 == pytest.approx(waiting * load / (servers - load), rel=0.08)


def test_a_worker_that_takes_several_requests_is_as_good_as_several_workers() -> None:
    service_s = np.random.default_rng(5).exponential(6.0, MANY)
    one = replayed(poisson(1.0, MANY), service_s=service_s, least=1, most=1, concurrency=8)
    eight = replayed(poisson(1.0, MANY), service_s=service_s, least=8, most=8)
    assert one.mean_added_ms == pytest.approx(eight.mean_added_ms)


def test_a_period_longer_than_the_keep_alive_is_always_cold_and_a_shorter_one_never() -> None:
    every_minute = trace(*(each * 60.0 for each in range(1000)))
    assert replayed(every_minute, idle_s=59.0).cold == 1000
    assert replayed(every_minute, idle_s=61.0).cold == 1

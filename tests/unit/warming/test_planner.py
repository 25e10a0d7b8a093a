from typing import Any

import numpy as np
import pytest
from tests.fakes.warming import START, option, poisson, replayed, trace

from preheat.errors import PreheatError
from preheat.provider.warm_options import LeastHours, Rates
from preheat.warming.planner import MONTH_S, demand_of, month_usd, plan, span_text
from preheat.warming.simulate import Replay
from preheat.warming.start import ColdStart
from preheat.warming.trace.model import Trace


def planned(*options: Any, of: Trace | None = None) -> Any:
    cold = ColdStart(p50_ms=1000, p95_ms=1000)
    replay = Replay(trace=of or poisson(1 / 60, 2000), cold=cold, services_s=np.array([0.1]))
    return plan(options, replay)


def idle(seconds: float, **fields: Any) -> Any:
    return option(name=f"idle {seconds:g}", idle_s=seconds, rates=Rates(worker_s=1e-5), **fields)


def test_choices_stand_in_the_order_of_what_they_cost() -> None:
    made = planned(idle(600), idle(0), idle(60))
    assert [each.option.name for each in made.choices] == ["idle 0", "idle 60", "idle 600"]


def test_where_nobody_pays_memory_time_counts() -> None:
    made = planned(option(name="long", idle_s=600), option(name="short", idle_s=6))
    assert not made.priced
    assert [each.option.name for each in made.choices] == ["short", "long"]


def test_the_frontier_has_what_no_other_beats() -> None:
    dear = option(name="dear and slow", idle_s=0, rates=Rates(month=1000.0, worker_s=1e-5))
    made = planned(dear, idle(0), option(name="kept", least=1, rates=Rates(worker_s=1e-5)))
    assert [each.option.name for each in made.frontier] == ["idle 0", "kept"]


def test_the_cheapest_that_meets_the_aim_is_found() -> None:
    made = planned(idle(0), option(name="kept", least=2, rates=Rates(worker_s=1e-5)), idle(6000))
    assert made.cheapest(5000, busiest=1).option.name == "idle 0"
    assert made.cheapest(0, busiest=1).p99_ms == 0


def test_an_aim_that_nothing_meets_names_what_comes_nearest() -> None:
    with pytest.raises(PreheatError, match="idle 0 comes nearest with 1000 ms") as refused:
        planned(idle(0)).cheapest(10, busiest=1)
    assert "--p99-ms 1000" in str(refused.value.hint)


def test_an_aim_that_too_few_workers_miss_says_how_many_were_needed() -> None:
    made = planned(idle(0, most=2, concurrency=4))
    with pytest.raises(PreheatError, match="9 requests ran at once, and 8 are the most that it takes"):
        made.cheapest(10, busiest=9)


def test_a_month_costs_what_each_part_does() -> None:
    outcome = replayed(trace(0, 100), cold_s=2, service_s=0.5, idle_s=10, bound=True)
    month = MONTH_S / outcome.duration_s
    assert outcome.duration_s == 200
    assert month_usd(Rates(request=1.0), outcome) == pytest.approx(2 * month)
    assert month_usd(Rates(busy_s=1.0), outcome) == pytest.approx(1.0 * month)
    assert month_usd(Rates(start_s=1.0), outcome) == pytest.approx(4.0 * month)
    assert month_usd(Rates(restore=1.0), outcome) == pytest.approx(2 * month)
    assert month_usd(Rates(worker_s=1.0), outcome) == pytest.approx((2 + 0.5 + 10) * 2 * month)
    assert month_usd(Rates(month=7.0), outcome) == pytest.approx(7.0)


def test_what_always_runs_has_prices_of_its_own() -> None:
    outcome = replayed(trace(0, 100), service_s=0.5, least=1, bound=True)
    month = MONTH_S / outcome.duration_s
    rates = Rates(busy_s=100.0, least_s=1.0, least_busy_s=10.0)
    assert month_usd(rates, outcome) == pytest.approx((200 + 10 * 1.0) * month)


def test_a_ping_has_a_price_of_its_own() -> None:
    outcome = replayed(trace(0, 600), idle_s=600, ping_every_s=300.0)
    month = MONTH_S / outcome.duration_s
    assert outcome.pings == 4
    assert month_usd(Rates(request=1.0, ping=10.0), outcome) == pytest.approx((2 + 40) * month)


def test_demand_has_the_numbers_of_workers_that_were_busy_at_once() -> None:
    burst = trace(*[0.0, 0.1, 0.2], 100)
    assert demand_of(burst, np.array([1.0])).levels == (1, 2, 3)


def test_hours_are_found_where_one_stretch_of_the_day_is_busy() -> None:
    random = np.random.default_rng(1)
    moments = np.repeat(np.arange(14) * 86400.0, 50) + random.uniform(9 * 3600, 17 * 3600, 700)
    office = Trace(start=START, arrivals=np.sort(moments))
    assert demand_of(office, np.array([0.1])).hours == (
        LeastHours(cron="0 9 * * *", timezone="UTC", least=1),
        LeastHours(cron="0 17 * * *", timezone="UTC", least=0),
    )
    assert demand_of(poisson(1 / 60, 10_000), np.array([0.1])).hours == ()


def test_a_span_says_when_in_utc() -> None:
    assert span_text(trace(0, 3600)) == "2026-01-05 00:00 to 2026-01-05 01:00 UTC"

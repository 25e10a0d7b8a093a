"""The scaling of our very template over simulated hours. The simulator is ours and not AWS's."""

from typing import Any

import pytest
from tests.fakes.sagemaker.simulation import Fleet, simulate
from tests.fakes.sagemaker_templates import template

from preheat.project.model import Scaling
from preheat_providers.sagemaker.options import Options

TARGET = 5
MOST = 4
HOUR = 60
ALARM_MINUTES = 3
"""Until the wake alarm has its two points, which begin to count with the next full minute."""
TAIL_MINUTES = 15 + 5
"""Until the alarm for removing has its points, and `idle_s` has passed."""


def resources(*, backlog: int = TARGET, **options: Any) -> dict[str, Any]:
    made = template(scaling=Scaling(min=0, max=MOST), options=Options(backlog=backlog, **options))
    found: dict[str, Any] = made["Resources"]
    return found


def without_waking() -> dict[str, Any]:
    return {name: each for name, each in resources().items() if not name.startswith("Wake")}


def every(seconds: float, *, start: float, end: float) -> list[float]:
    return [start + number * seconds for number in range(int((end - start) / seconds))]


def test_one_request_wakes_one_instance_is_answered_and_lets_it_go() -> None:
    fleet = Fleet(start_s=240)
    history = simulate(resources(), [90.0], minutes=HOUR, fleet=fleet)
    assert history.levels == [0, 1, 0]
    assert history.most == 1
    woken = history.first(1)
    assert woken <= 1 + ALARM_MINUTES + 240 / 60 + 1
    assert len(history.waits) == 1
    assert history.waits[0] <= (ALARM_MINUTES + 1) * 60 + 240 + fleet.work_s
    assert history.first(0, after=woken) <= woken + TAIL_MINUTES


@pytest.mark.parametrize("requests", [1, TARGET])
def test_without_the_step_policy_it_stays_at_zero_up_to_the_target(requests: int) -> None:
    history = simulate(without_waking(), [90.0] * requests, minutes=24 * HOUR)
    assert (history.levels, history.waits) == ([0], ())
    assert history.minutes[-1].backlog == requests


def test_without_the_step_policy_it_leaves_zero_above_the_target() -> None:
    history = simulate(without_waking(), [90.0] * (TARGET + 1), minutes=2 * HOUR)
    assert len(history.waits) == TARGET + 1


@pytest.mark.parametrize("tells_when_idle", [False, True])
def test_a_burst_brings_as_many_as_there_may_be_answers_all_and_ends_at_zero(tells_when_idle: bool) -> None:
    fleet = Fleet(tells_when_idle=tells_when_idle)
    history = simulate(resources(), [90.0] * 400, minutes=4 * HOUR, fleet=fleet)
    assert len(history.waits) == 400
    assert history.levels[0] == history.levels[-1] == 0
    assert max(history.levels) == history.most == MOST
    peak = history.levels.index(MOST)
    assert history.levels[:peak] == sorted(history.levels[:peak])
    assert history.levels[peak:] == sorted(history.levels[peak:], reverse=True)


def test_load_that_comes_and_goes_is_followed() -> None:
    """An instance answers 6 a minute; at first there are 3 a minute, then 15, then none."""
    quiet, busy = every(20, start=0, end=3600), every(4, start=3600, end=3 * 3600)
    history = simulate(resources(), [*quiet, *busy], minutes=5 * HOUR)
    in_quiet = {each.running for each in history.minutes[40:60]}  # what waited for the first one is answered
    in_busy = [each.running for each in history.minutes[75:180]]
    assert in_quiet == {1}
    assert sum(in_busy) / len(in_busy) > 15 / 6, "as many as the load needs, on the average"
    assert len(history.waits) == len(quiet) + len(busy)
    assert max(each.backlog for each in history.minutes[60:]) < 20 * MOST, "it keeps up"
    assert history.minutes[-1].running == 0


def test_instances_that_never_take_work_never_run_beyond_the_most() -> None:
    history = simulate(resources(), every(1, start=0, end=3600), minutes=2 * HOUR, fleet=Fleet(start_s=3000))
    assert history.most == MOST


@pytest.mark.parametrize("start_s", [30, 120, 290, 600, 800])
@pytest.mark.parametrize("tells_when_idle", [False, True])
def test_one_request_never_starts_a_second_instance_however_long_the_first_takes(
    start_s: float, tells_when_idle: bool
) -> None:
    fleet = Fleet(start_s=start_s, tells_when_idle=tells_when_idle)
    made = resources(startup_timeout_s=600)
    history = simulate(made, [90.0], minutes=2 * HOUR, fleet=fleet)
    assert history.most == 1
    assert len(history.waits) == 1


@pytest.mark.parametrize(("backlog", "whole"), [(TARGET, False), (1, True)])
def test_a_backlog_of_one_keeps_an_instance_for_each_long_request_that_runs(
    backlog: int, *, whole: bool
) -> None:
    """If instances that are taken away do not finish their requests."""
    fleet = Fleet(work_s=3600, kills=True)
    history = simulate(resources(backlog=backlog), [90.0] * 12, minutes=12 * HOUR, fleet=fleet)
    assert len(history.waits) + history.lost == 12
    assert (history.lost == 0) is whole
    assert history.levels[-1] == 0


def test_it_wakes_again_and_again() -> None:
    history = simulate(resources(), [90.0, 2 * 3600.0, 5 * 3600.0], minutes=7 * HOUR)
    assert history.levels == [0, 1, 0, 1, 0, 1, 0]
    assert len(history.waits) == 3


def test_a_least_number_always_runs_and_needs_no_waking() -> None:
    made = template(scaling=Scaling(min=2, max=MOST), options=Options(backlog=TARGET))["Resources"]
    history = simulate(made, [90.0] * 60, minutes=2 * HOUR, fleet=Fleet(running=2))
    assert min(history.levels) == 2
    assert history.waits[0] == 10.0

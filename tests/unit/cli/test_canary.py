from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.command_line import CommandLine

ARGUMENTS = ("promote", "demo", "--canary", "10%", "--for", "1m")


class Hours:
    """A clock that passes only by sleeping; `then` runs at every sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.then: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.then()


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def released(deployed: CommandLine, root: Path, hours: Hours) -> CommandLine:
    """Two releases of demo; the first has the traffic."""
    (root / "handler.py").write_text((root / "handler.py").read_text() + "\n# again\n")
    assert deployed("deploy").code == 0
    assert deployed("rollback", "demo").code == 0
    deployed.clock, deployed.sleep = lambda: hours.now, hours.sleep
    return deployed


def function(cli: CommandLine) -> tuple[int, float]:
    (found,) = cli.provider.functions.values()
    return found.active, found.share


def test_a_canary_without_alarms_gets_all_of_the_traffic_after_its_time(
    released: CommandLine, hours: Hours
) -> None:
    shares = []
    hours.then = lambda: shares.append(function(released))
    outcome = released(*ARGUMENTS)
    assert outcome.code == 0, outcome.err
    assert set(shares) == {(2, 0.1)}
    assert hours.now == 60
    assert function(released) == (2, 1.0)
    assert "release 2 gets all of the traffic" in outcome.out


def test_a_canary_is_taken_back_when_an_alarm_fires(released: CommandLine, hours: Hours) -> None:
    (found,) = released.provider.functions.values()
    found.alarms = [(), (), ("errors",)]
    outcome = released(*ARGUMENTS)
    assert outcome.code == 1
    assert "errors fires: release 1 has all of the traffic again" in outcome.err
    assert found.active == 1
    assert hours.now == 20


def test_only_the_alarms_that_are_named_are_watched(released: CommandLine) -> None:
    (found,) = released.provider.functions.values()
    found.alarms = [(), ("errors",)]
    assert released(*ARGUMENTS, "--alarm", "latency").code == 0
    assert function(released) == (2, 1.0)


def test_a_canary_does_not_begin_while_an_alarm_fires(released: CommandLine, hours: Hours) -> None:
    (found,) = released.provider.functions.values()
    found.alarms = [("errors",)]
    outcome = released(*ARGUMENTS)
    assert outcome.code == 1
    assert "before the canary has begun" in outcome.err
    assert (found.active, hours.now) == (1, 0)


def test_a_single_release_has_nothing_to_be_compared_with(deployed: CommandLine) -> None:
    outcome = deployed(*ARGUMENTS)
    assert outcome.code == 1
    assert "one release only" in outcome.err


def test_the_release_before_the_newest_gets_the_traffic_back_when_the_newest_was_live(
    released: CommandLine,
) -> None:
    assert released("promote", "demo").code == 0
    (found,) = released.provider.functions.values()
    found.alarms = [(), ("errors",)]
    assert released(*ARGUMENTS).code == 1
    assert found.active == 1


def test_an_interrupted_canary_says_what_remains(released: CommandLine, hours: Hours) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    hours.then = interrupt
    outcome = released(*ARGUMENTS)
    assert outcome.code == 130
    assert "preheat promote demo, or preheat rollback demo" in outcome.err
    assert function(released) == (2, 0.1)


@pytest.mark.parametrize("time", ["0s", "10", "ten minutes", "-1m", "1d"])
def test_what_is_no_duration_is_wrong_use(released: CommandLine, time: str) -> None:
    outcome = released("promote", "demo", "--canary", "10%", "--for", time)
    assert outcome.code == 2
    assert "10m" in outcome.err


@pytest.mark.parametrize("arguments", [("--for", "1m"), ("--canary", "10%", "--alarm", "x")])
def test_options_that_need_another_one_say_so(released: CommandLine, arguments: tuple[str, ...]) -> None:
    outcome = released("promote", "demo", *arguments)
    assert outcome.code == 2
    assert "Add --" in outcome.err

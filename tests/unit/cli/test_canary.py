from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.command_line import CommandLine

from preheat.errors import ProviderError

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
    assert set(shares) == {(1, 0.1)}
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


def test_a_canary_after_a_rollback_stands_beside_what_served_before(
    released: CommandLine, root: Path, hours: Hours
) -> None:
    (root / "handler.py").write_text((root / "handler.py").read_text() + "\n# once more\n")
    assert released("deploy").code == 0
    (found,) = released.provider.functions.values()
    found.alarms = [(), (), ("errors",)]
    shares = []
    hours.then = lambda: shares.append(function(released))
    outcome = released(*ARGUMENTS)
    assert "release 1 has all of the traffic again" in outcome.err
    assert (found.active, set(shares)) == (1, {(1, 0.1)})


EXPIRED = ProviderError("the alarms cannot be read: the token is expired", hint="aws sso login")


def test_alarms_that_cannot_be_read_for_a_moment_end_no_canary(released: CommandLine, hours: Hours) -> None:
    (found,) = released.provider.functions.values()
    found.alarms = [(), EXPIRED, EXPIRED, EXPIRED, (), EXPIRED]
    outcome = released(*ARGUMENTS)
    assert outcome.code == 0, outcome.err
    assert found.active == 2
    assert hours.now >= 60


def test_a_canary_that_nobody_can_watch_any_more_is_taken_back(released: CommandLine) -> None:
    (found,) = released.provider.functions.values()
    found.alarms = [(), (), *[EXPIRED] * 4, ("errors",)]
    outcome = released(*ARGUMENTS)
    assert outcome.code == 1
    assert "the token is expired): release 1 has all of the traffic again." in outcome.err
    assert "aws sso login" in outcome.err
    assert "preheat promote demo --canary 0.1 --for 60s --provider local --stage dev" in outcome.err
    assert function(released) == (1, 1.0)


def test_a_canary_that_cannot_be_taken_back_says_where_the_traffic_is(released: CommandLine) -> None:
    (found,) = released.provider.functions.values()
    found.alarms = [(), *[EXPIRED] * 4]
    found.refusals = [ProviderError("the alias cannot be moved")] * 4
    outcome = released(*ARGUMENTS)
    assert outcome.code == 1
    assert "the token is expired), and release 1 could not be given the traffic again" in outcome.err
    assert "the alias cannot be moved" in outcome.err
    assert "preheat rollback demo 1 --provider local --stage dev  # 10% of the traffic" in outcome.err
    assert function(released) == (1, 0.1)


def test_an_alarm_takes_a_canary_back_also_where_that_fails_at_first(released: CommandLine) -> None:
    (found,) = released.provider.functions.values()
    found.alarms = [(), ("errors",)]
    found.refusals = [ProviderError("held back")] * 3
    outcome = released(*ARGUMENTS)
    assert "errors fires: release 1 has all of the traffic again" in outcome.err
    assert function(released) == (1, 1.0)


@pytest.mark.parametrize(("time", "short"), [("90s", True), ("4m", True), ("5m", False), ("1h", False)])
def test_a_time_in_which_no_alarm_may_fire_is_said_to_be_short(
    released: CommandLine, time: str, short: bool
) -> None:
    outcome = released("promote", "demo", "--canary", "10%", "--for", time)
    assert outcome.code == 0
    assert ("--for 10m" in outcome.err) is short


def test_an_interrupted_canary_says_what_remains(released: CommandLine, hours: Hours) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    hours.then = interrupt
    outcome = released(*ARGUMENTS)
    assert outcome.code == 130
    assert "preheat promote demo, or preheat rollback demo" in outcome.err
    assert function(released) == (1, 0.1)


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

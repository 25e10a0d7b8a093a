import asyncio
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.fakes.engine import FakeEngine
from tests.fakes.queue import FUNCTION, FakeClock, queue

from preheat.errors import ProviderError
from preheat.project.model import Schedule
from preheat_providers.local.options import Options
from preheat_providers.local.triggers.host import Timing
from preheat_providers.local.triggers.schedule import Ticks

BERLIN = ZoneInfo("Europe/Berlin")


def at(*when: int) -> float:
    return datetime(*when, tzinfo=BERLIN).timestamp()  # type: ignore[arg-type,misc]


def days(cron: str, start: float, end: float) -> list[str]:
    """The ticks between two moments, as the clock on the wall shows them."""
    ticks, found, moment = Ticks(cron, "Europe/Berlin"), [], start
    while (tick := ticks.after(moment)) is not None and tick < end:
        found.append(f"{datetime.fromtimestamp(tick, BERLIN):%d %H:%M}")
        moment = tick
    return found


def test_a_daily_tick_runs_once_on_the_day_that_the_hour_is_skipped() -> None:
    assert days("30 2 * * *", at(2026, 3, 28), at(2026, 3, 31)) == ["28 02:30", "29 03:00", "30 02:30"]


def test_a_daily_tick_runs_once_on_the_day_that_the_hour_repeats() -> None:
    assert days("30 2 * * *", at(2026, 10, 24), at(2026, 10, 27)) == ["24 02:30", "25 02:30", "26 02:30"]


def test_an_hourly_tick_runs_every_hour_that_passes() -> None:
    assert len(days("0 * * * *", at(2026, 3, 29) - 1, at(2026, 3, 30))) == 23
    assert len(days("0 * * * *", at(2026, 10, 25) - 1, at(2026, 10, 26))) == 25


def test_the_latest_tick_is_at_or_before_the_moment() -> None:
    ticks = Ticks("0 7 * * *", "Europe/Berlin")
    assert ticks.latest(at(2026, 6, 1, 7)) == at(2026, 6, 1, 7)
    assert ticks.latest(at(2026, 6, 1, 6, 59)) == at(2026, 5, 31, 7)
    assert ticks.after(at(2026, 6, 1, 7)) == at(2026, 6, 2, 7)


@pytest.mark.parametrize(
    ("cron", "timezone"),
    [
        ("61 * * * *", "UTC"),
        ("* * * *", "UTC"),
        ("* * * * * *", "UTC"),
        ("never", "UTC"),
        ("* * * * *", "Mars/Olympus"),
        ("* * * * *", "../etc/passwd"),
    ],
)
def test_a_schedule_that_never_comes_is_refused(cron: str, timezone: str) -> None:
    with pytest.raises(ProviderError):
        Ticks(cron, timezone)


class Sleeper:
    """A sleep that moves the clock, until `stop` is reached; then it rests."""

    def __init__(self, clock: FakeClock, stop: float) -> None:
        self._clock, self._stop = clock, stop
        self.resting = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        if self._clock.now + seconds > self._stop:
            self.resting.set()
            await asyncio.Event().wait()
        self._clock.now += seconds


def run(home: Path, clock: FakeClock, until: float, cron: str = "*/10 * * * *") -> list[str]:
    """Let the schedule run until the clock says `until`; return the ticks that ran."""

    async def main() -> list[str]:
        engine, sleeper = FakeEngine(), Sleeper(clock, until)
        timing = Timing(clock=clock, sleep=sleeper)
        async with queue(home, engine, clock=clock, timing=timing) as opened:
            trigger = Schedule(name="often", cron=cron, input={"n": 1})
            await opened.host.attach(FUNCTION, (trigger,), Options())
            await sleeper.resting.wait()
            queued = opened.events.named("tick-queued")
            await opened.events.until("delivery-succeeded", len(queued))
            assert all(json.loads(each.body) == {"n": 1} for each in engine.requests)
            return [str(each["tick"])[11:16] for each in queued]

    return asyncio.run(main())


START = datetime.fromisoformat("2026-06-01T00:05:00+00:00").timestamp()


def test_each_tick_runs_once(tmp_path: Path) -> None:
    assert run(tmp_path, FakeClock(START), START + 1800) == ["00:10", "00:20", "00:30"]


def test_of_the_ticks_missed_while_down_only_the_latest_runs(tmp_path: Path) -> None:
    run(tmp_path, FakeClock(START), START + 600)
    assert run(tmp_path, FakeClock(START + 7200), START + 7800) == ["02:00", "02:10"]


def test_a_tick_that_ran_does_not_run_again_after_a_restart(tmp_path: Path) -> None:
    assert run(tmp_path, FakeClock(START), START + 600) == ["00:10"]
    assert run(tmp_path, FakeClock(START + 660), START + 1200) == ["00:20"]


def test_a_changed_schedule_begins_at_its_change(tmp_path: Path) -> None:
    run(tmp_path, FakeClock(START), START + 600)
    assert run(tmp_path, FakeClock(START + 7200), START + 7500, cron="0 * * * *") == []

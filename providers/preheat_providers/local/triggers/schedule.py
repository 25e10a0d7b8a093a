"""Runs a function by the clock: when a cron expression's ticks are, and the source that queues them."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from preheat.errors import ProviderError
from preheat.interface.message import Request
from preheat.project.model import Schedule
from preheat_providers.local.jobs import Clock, Delivery, JobRunner, JobStore, Log, TriggerMemory

ATTEMPTS = 3
LONGEST_SLEEP_S = 60.0
"""The wall clock may be set while we sleep, so it is looked at this often."""


class Ticks:
    """The ticks of a schedule, in its timezone and across its changes of the clock, as seconds of the epoch.

    cronsim follows Debian's cron: a tick that the spring change skips runs right after it, and one
    that the autumn change repeats runs once.
    """

    def __init__(self, cron: str, timezone: str) -> None:
        """Raises ProviderError for an expression or a timezone that does not exist."""
        self._cron = cron
        try:
            # UTC is there without a time zone database, too.
            self._zone: tzinfo = UTC if timezone == "UTC" else ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ProviderError(
                f"There is no timezone {timezone!r}.", hint='timezone = "Europe/Berlin"'
            ) from error
        if len(cron.split()) != 5:
            raise ProviderError(f"{cron!r} has {len(cron.split())} fields; cron has five: minute to weekday.")
        try:
            CronSim(cron, datetime.now(UTC))
        except CronSimError as error:
            raise ProviderError(
                f"{cron!r} is no cron expression: {error}.", hint='cron = "0 7 * * *"'
            ) from error

    def after(self, moment: float) -> float | None:
        """Return the first tick later than `moment`, or None when there is none within 50 years."""
        return self._step(moment, reverse=False)

    def latest(self, moment: float) -> float | None:
        """Return the last tick not later than `moment`."""
        # Reverse ticks are strictly earlier than where they begin.
        return self._step(int(moment) + 1, reverse=True)

    def _step(self, moment: float, *, reverse: bool) -> float | None:
        found = next(CronSim(self._cron, datetime.fromtimestamp(moment, self._zone), reverse=reverse), None)
        return None if found is None else float(found.timestamp())


class ScheduleSource:
    """Queues a delivery for each tick. Of the ticks missed while nothing ran, only the latest is run."""

    def __init__(
        self,
        store: JobStore,
        runner: JobRunner,
        *,
        function: str,
        trigger: Schedule,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
        log: Log,
    ) -> None:
        self._store = store
        self._runner = runner
        self._function = function
        self._trigger = trigger
        self._clock = clock
        self._sleep = sleep
        self._log = log
        self._ticks = Ticks(trigger.cron, trigger.timezone)
        self._memory = TriggerMemory(store.database)

    async def run(self, ready: Callable[[], None]) -> None:
        """Tick until cancelled."""
        last = await self._resume()
        ready()
        while True:
            now = self._clock()
            latest = self._ticks.latest(now)
            if latest is not None and latest > last:
                await self._queue(latest)
                last = latest
            coming = self._ticks.after(now)
            await self._sleep(LONGEST_SLEEP_S if coming is None else min(LONGEST_SLEEP_S, coming - now))

    async def _resume(self) -> float:
        """Return up to when ticks were run; a new or changed schedule begins now."""
        cursor = await self._memory.cursor(self._function, self._trigger.name)
        if cursor is not None:
            schedule, last = json.loads(cursor)
            if schedule == [self._trigger.cron, self._trigger.timezone]:
                return float(last)
        now = self._clock()
        await self._reached(now)
        return now

    async def _queue(self, tick: float) -> None:
        moment = datetime.fromtimestamp(tick, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        delivery = Delivery(
            key=f"{self._trigger.name}@{moment}",
            request=Request(id="", body=json.dumps(self._trigger.input).encode()),
            source={"trigger": self._trigger.name, "tick": moment},
            sink=None,
            attempts=ATTEMPTS,
        )
        if await self._store.deliver(self._function, delivery):
            self._log("tick-queued", function=self._function, trigger=self._trigger.name, tick=moment)
            self._runner.wake()
        await self._reached(tick)

    async def _reached(self, moment: float) -> None:
        value = json.dumps([[self._trigger.cron, self._trigger.timezone], moment])
        await self._memory.set_cursor(self._function, self._trigger.name, value)

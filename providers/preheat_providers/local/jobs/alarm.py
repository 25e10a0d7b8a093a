"""Sleep until an event or a due time, whichever is first."""

import asyncio

from preheat_providers.local.jobs.model import Clock

LONGEST_S = 60.0
"""Due times are by the wall clock, which may be set while we sleep; a due time is looked at this often."""


class Alarm:
    """One sleeper that others wake. A call to `wake` before `until` is not lost."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = asyncio.Event()

    def wake(self) -> None:
        """End the sleep now, or the next one at once."""
        self._event.set()

    async def until(self, due: float | None) -> None:
        """Return when woken, or at `due`; None sleeps until woken."""
        delay = None if due is None else min(LONGEST_S, max(0.0, due - self._clock()))
        try:
            async with asyncio.timeout(delay):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()

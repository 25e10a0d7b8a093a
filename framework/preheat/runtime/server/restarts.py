"""When a worker that ended is started again: a pure policy over an injected clock."""

from collections.abc import Callable
from dataclasses import dataclass, field

from preheat.runtime.supervision import backoff_s

STEADY_S = 60.0
"""A worker that lived so long did not fail for want of anything at its start."""


@dataclass(slots=True)
class Restarts:
    """The failures in a row of each slot, and when its next worker is due."""

    clock: Callable[[], float]
    _failures: dict[int, int] = field(default_factory=dict)
    _due: dict[int, float] = field(default_factory=dict)

    def ended(self, slot: int, *, lived_s: float) -> float:
        """Note that the worker of `slot` ended; return in how many seconds the next one is due.

        The first failure costs no wait; each further one within STEADY_S doubles it.
        """
        failures = 0 if lived_s >= STEADY_S else self._failures.get(slot, 0)
        wait_s = backoff_s(failures)
        self._failures[slot] = failures + 1
        self._due[slot] = self.clock() + wait_s
        return wait_s

    def take_due(self) -> list[int]:
        """Return the slots whose worker is to be started now."""
        now = self.clock()
        due = [slot for slot, at in self._due.items() if at <= now]
        for slot in due:
            del self._due[slot]
        return due

    def wakes_in_s(self) -> float | None:
        """In how many seconds something is due, or None."""
        return max(0.0, min(self._due.values()) - self.clock()) if self._due else None

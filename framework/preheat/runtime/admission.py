"""Who may wait, and when to come back: from how fast the requests ahead are being answered.

Pure, with an injected clock in seconds that never goes back. Only the time in which requests had to
wait counts: answers at leisure say nothing of how many there could be. The rate is the answers in
that time by the time, both fading by a window of WINDOW_S, or of WINDOW_ANSWERS answers where that is
longer, so that a batch of 32 at once or a model that takes a minute do not swing it.

Retry-After has no jitter: whoever was refused is told to come when the queue will be empty, and a
queue that a burst finds empty takes as much of it as it holds. Whole seconds would spread little.
"""

import math
from collections.abc import Callable

from preheat.errors import Overloaded

WINDOW_S = 10.0
WINDOW_ANSWERS = 8.0
TRUSTED_ANSWERS = 5.0
"""With fewer answers in the window the rate is not known."""
SHORTEST_S = 1.0
LONGEST_S = 60.0


class Throughput:
    """How fast answers come while requests wait for them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers = 0.0
        self._seconds = 0.0
        self._since: float | None = None

    def pressed(self, yes: bool) -> None:
        """Say whether, from now on, requests wait although all that can work does."""
        self._advance()
        self._since = self._clock() if yes else None

    def answered(self) -> None:
        """Count an answer."""
        if self._since is not None:
            self._advance()
            self._answers += 1

    def seconds_for(self, count: int) -> float | None:
        """Return how long `count` answers will take, or None when that is not known."""
        self._advance()
        if self._answers < TRUSTED_ANSWERS:
            return None
        return count * self._seconds / self._answers

    def _advance(self) -> None:
        if self._since is None:
            return
        now = self._clock()
        elapsed_s, self._since = now - self._since, now
        window_s = WINDOW_S
        if self._answers:
            window_s = max(WINDOW_S, WINDOW_ANSWERS * self._seconds / self._answers)
        kept = math.exp(-elapsed_s / window_s)
        self._answers *= kept
        self._seconds = self._seconds * kept + window_s * (1 - kept)


class Admission:
    """Refuses at once what a bounded queue has no place for, or what would only wait to be late."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.throughput = Throughput(clock)

    def check(self, *, ahead: int, room: int, timeout_s: float = math.inf) -> None:
        """Raise Overloaded unless one more than the `ahead` requests fits into `room` and into its time."""
        wait_s = self.throughput.seconds_for(ahead)
        if ahead >= room:
            text = f"{ahead} requests are ahead of this one, which is all that is let in."
            raise Overloaded(text, retry_after_s=_bounded(wait_s))
        if wait_s is not None and wait_s > timeout_s:
            raise Overloaded(
                f"{ahead} requests are ahead of this one, which takes about {wait_s:.1f} s; "
                f"this one may take {timeout_s:g} s.",
                retry_after_s=_bounded(wait_s),
            )


def _bounded(wait_s: float | None) -> float:
    return SHORTEST_S if wait_s is None else min(LONGEST_S, max(SHORTEST_S, wait_s))

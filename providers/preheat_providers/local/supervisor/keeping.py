"""What keeps workers beside `[scaling]`: hours, and the histogram policy, so that a plan can be tried here.

In: how many workers are needed now. Out: the scaling that counts now, and until when. Touches nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf

from preheat.project.model import Scaling
from preheat.provider.warm_options import LeastHours
from preheat.warming.histogram import no_gaps, record, window
from preheat.warming.hours import least_at, next_change


@dataclass(slots=True)
class _Idle:
    """When a level became idle, and from when to when it is kept, by the pool's clock."""

    since: float
    opens: float
    closes: float


class Kept:
    """The histogram policy for one pool: how many idle workers past idle times say to keep.

    Level k is at work while more than k workers are needed; see preheat.warming.histogram.
    """

    def __init__(self, most: int, idle_s: float) -> None:
        self._idle_s = idle_s
        self._gaps = no_gaps(most)
        self._idle: list[_Idle] = []
        self._needed = 0

    def look(self, needed: int, now: float) -> tuple[int, float]:
        """Return how many idle workers to keep beside the `needed`, and until when that holds."""
        while self._needed < needed:
            if self._needed < len(self._idle):
                idle = self._idle[self._needed]
                kept_s = max(0.0, min(now, idle.closes) - idle.opens)
                record(self._gaps, self._needed, now - idle.since, kept_s, self._idle_s)
            else:
                self._idle.append(_Idle(now, inf, -inf))
            self._needed += 1
        while self._needed > needed:
            self._needed -= 1
            opens, closes = window(self._gaps, self._needed, self._idle_s)
            self._idle[self._needed] = _Idle(now, now + opens, now + closes)
        free = self._idle[needed:]
        ahead = [when for each in free for when in (each.opens, each.closes) if when > now]
        return sum(each.opens <= now < each.closes for each in free), min(ahead, default=inf)


class Keeping:
    """The policies of one pool. `wall` tells the seconds since the epoch that hours are compared with."""

    def __init__(
        self,
        scaling: Scaling,
        *,
        histogram: bool = False,
        hours: tuple[LeastHours, ...] = (),
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._scaling = scaling
        self._hours = hours
        self._wall = wall
        self._kept = Kept(scaling.max, scaling.idle_s) if histogram else None

    def now(self, needed: int, now: float) -> tuple[Scaling, float]:
        """Return the scaling that counts at `now`, and when to ask again at the latest."""
        scaling, until = self._scaling, inf
        if self._hours:
            moment = datetime.fromtimestamp(self._wall(), UTC)
            scaling = replace(scaling, min=min(scaling.max, least_at(self._hours, moment)))
            until = now + (next_change(self._hours, moment) - moment).total_seconds()
        if self._kept is not None:
            kept, change = self._kept.look(needed, now)
            scaling = replace(scaling, warm=max(scaling.warm, kept), idle_s=0.0)
            until = min(until, change)
        return scaling, until

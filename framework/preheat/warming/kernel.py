"""The simulator's loop, compiled by numba. In: arrays and numbers. Out: arrays filled and totals.

Imported late: numba takes a second to import, and the first run after an installation compiles for some more.
Workers have no identity here. What counts is how many are ready, and for each level (see `histogram`) since
when it is idle and until when it is kept; that is exact, because a pool takes the worker used last.
Where workers are bound, those that always run stand apart: a request that finds none of them free goes to one
of the others, and these stop again. With `concurrency` above 1 requests are packed into few workers.
"""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from preheat.warming import histogram
from preheat.warming.trace.model import Floats

NEVER = np.inf
# A cached function does not notice that one it calls has changed in another file: after an edit of
# histogram.py, remove __pycache__.
_record = njit(cache=True)(histogram.record)
_window = njit(cache=True)(histogram.window)


class Shape(NamedTuple):
    """The numbers of `WarmOption` that the loop reads. `end` is when the trace ends, in seconds."""

    buffer: int
    buffer_when_idle: bool
    most: int
    idle_s: float
    adaptive: bool
    lifetime_s: float
    bound: bool
    backlog: int
    concurrency: int
    end: float


class Totals(NamedTuple):
    """What happened until `Shape.end`; seconds are summed over workers."""

    starts: int
    start_s: float
    worker_s: float
    busy_s: float
    least_s: float
    least_busy_s: float


class Levels(NamedTuple):
    """For each level: since when it is idle, when it is kept from and to, and whether it is kept now."""

    since: Floats
    opens: Floats
    closes: Floats
    kept: NDArray[np.bool_]


@njit(cache=True)
def _levels(most: int, adaptive: bool) -> tuple[Levels, histogram.Gaps]:
    levels = Levels(
        np.full(most, -NEVER), np.full(most, NEVER), np.full(most, -NEVER), np.zeros(most, np.bool_)
    )
    rows = most if adaptive else 1
    gaps = histogram.Gaps(  # a matrix is a row of rows, which its type does not say
        np.zeros((rows, histogram.BINS), np.int64),  # type: ignore[arg-type]
        np.zeros(rows, np.int64),
        np.zeros(rows, np.int64),
        np.zeros(rows, np.float64),
        np.zeros(1, np.float64),
    )
    return levels, gaps


@njit(cache=True)
def _fell(levels: Levels, gaps: histogram.Gaps, level: int, now: float, shape: Shape) -> tuple[int, float]:
    """Note that `level` became idle; return whether it is kept (0 or 1), and when that changes."""
    opens, closes = 0.0, shape.idle_s
    if shape.adaptive:
        opens, closes = _window(gaps, level, shape.idle_s)
    levels.since[level] = now
    levels.opens[level] = now + opens
    levels.closes[level] = now + closes
    levels.kept[level] = opens == 0.0 and closes > 0.0
    if levels.kept[level]:
        return 1, now + closes
    return 0, now + opens if opens > 0.0 else NEVER


@njit(cache=True)
def _move(
    levels: Levels, gaps: histogram.Gaps, before: int, after: int, now: float, shape: Shape
) -> tuple[int, float]:
    """Note that `after` levels are at work where `before` were; return what `_fell` does, for all of them."""
    kept = 0
    change = NEVER
    for level in range(before, after):
        if shape.adaptive and levels.since[level] > -NEVER:
            kept_s = max(0.0, min(now, levels.closes[level]) - levels.opens[level])
            _record(gaps, level, now - levels.since[level], kept_s, shape.idle_s)
        kept -= levels.kept[level]
        levels.kept[level] = False
    for level in range(before - 1, after - 1, -1):
        more, when = _fell(levels, gaps, level, now, shape)
        kept += more
        change = min(change, when)
    return kept, change


@njit(cache=True)
def _look(levels: Levels, first: int, end: int, now: float) -> tuple[int, float]:
    """Return how many of the idle levels from `first` to `end` are kept now, and when that changes."""
    kept = 0
    change = NEVER
    for level in range(first, end):
        opens, closes = levels.opens[level], levels.closes[level]
        levels.kept[level] = opens <= now < closes
        if levels.kept[level]:
            kept += 1
            change = min(change, closes)
        elif now < opens:
            change = min(change, opens)
    return kept, change


@njit(cache=True)
def replay(
    arrivals: Floats,
    services: Floats,
    starts: Floats,
    floors: Floats,
    shape: Shape,
    waits: Floats,
    cold: NDArray[np.bool_],
) -> Totals:
    """Replay `arrivals` (sorted, in seconds) and fill `waits` (seconds) and `cold` for each.

    `floors` has rows of a time and the least number of workers from then on; the first row is at 0.
    `starts` are the durations of starts, taken in turn. One loop: its parts would share all of its state.
    """
    count = len(arrivals)
    levels, gaps = _levels(shape.most, shape.adaptive)
    done = [NEVER]
    apart = [NEVER]
    coming = [NEVER]
    floor = int(floors[0, 1])
    next_floor, next_recycle, change = 1, shape.lifetime_s, NEVER
    at_first = max(floor, shape.buffer if shape.buffer_when_idle else 0)
    ready = 0 if shape.bound else min(at_first, shape.most)
    in_flight, demand, kept, top, retiring = 0, 0, 0, 0, 0
    taken, head, started = 0, 0, 0
    start_s = worker_s = busy_s = least_s = least_busy_s = now = 0.0
    while True:
        arrival = arrivals[taken] if taken < count else NEVER
        floored = floors[next_floor, 0] if next_floor < len(floors) else NEVER
        then = min(arrival, done[0], apart[0], coming[0], change, floored, next_recycle)
        finished = taken == count and head == count and in_flight == 0 and len(apart) == 1
        if finished and then >= shape.end:
            then = shape.end
        busy = min(ready, -(-in_flight // shape.concurrency))
        spent = min(then, shape.end) - now
        if spent > 0.0:
            always = floor if shape.bound else 0
            worker_s += spent * (ready + len(coming) - 1 + always)
            busy_s += spent * (busy + len(apart) - 1)
            least_s += spent * floor
            least_busy_s += spent * (len(apart) - 1 if shape.bound else min(busy, floor))
        if finished and then >= shape.end:
            break
        now = then
        came = False
        if now == done[0]:
            heappop(done)
            in_flight -= 1
            if retiring > 0:
                retiring -= 1
                ready -= 1
        elif now == apart[0]:
            heappop(apart)
        elif now == coming[0]:
            heappop(coming)
            ready += 1
            came = True
        elif now == arrival:
            cold[taken] = ready == 0 and not shape.bound
            taken += 1
        elif now == floored:
            floor = int(floors[next_floor, 1])
            next_floor += 1
        elif now == next_recycle:
            next_recycle += shape.lifetime_s
            least = 0 if shape.bound else floor
            ready -= max(0, ready - max(least, busy))
            retiring = min(in_flight, max(0, ready - least))
            levels.opens[demand:top] = NEVER
            levels.closes[demand:top] = -NEVER
            kept, change = _look(levels, demand, top, now)
        while shape.bound and head < taken and len(apart) - 1 < floor:
            waits[head] = now - arrivals[head]
            heappush(apart, now + services[head])
            head += 1
        while head < taken and in_flight < ready * shape.concurrency:
            waits[head] = now - arrivals[head]
            cold[head] = cold[head] or came
            heappush(done, now + services[head])
            in_flight += 1
            head += 1
        while shape.bound and head < taken and ready + len(coming) - 1 < shape.most:
            delay = starts[started % len(starts)]
            started += 1
            start_s += delay
            waits[head] = now - arrivals[head] + delay
            cold[head] = True
            heappush(done, now + delay + services[head])
            ready += 1
            in_flight += 1
            head += 1
        busy = -(-in_flight // shape.concurrency)
        if shape.backlog > shape.concurrency:  # who is served counts as backlog too
            wanted = max(busy, -(-(in_flight + taken - head) // shape.backlog))
        else:
            wanted = busy + -(-(taken - head) // shape.concurrency)
        needed = min(shape.most, wanted)
        more, when = _move(levels, gaps, demand, needed, now, shape)
        kept, change = kept + more, min(change, when)
        demand, top = needed, max(top, needed)
        if came and ready > needed and not shape.adaptive:  # idle from now on, whatever was before
            top = max(top, ready)
            kept += 0 if levels.kept[ready - 1] else 1
            levels.opens[ready - 1], levels.closes[ready - 1] = now, now + shape.idle_s
            levels.kept[ready - 1] = True
            change = min(change, now + shape.idle_s)
        if now >= change:
            kept, change = _look(levels, needed, top, now)
        spare = shape.buffer if needed > 0 or shape.buffer_when_idle else 0
        target = min(shape.most, max(0 if shape.bound else floor, needed + max(spare, kept)))
        while not shape.bound and ready + len(coming) - 1 < target:
            heappush(coming, now + starts[started % len(starts)])
            start_s += starts[started % len(starts)]
            started += 1
        ready -= max(0, min(ready - busy, ready - target))
    if shape.bound:  # a request that waits for its worker is in flight, but not at work
        busy_s -= start_s
    return Totals(started, start_s, worker_s, busy_s, least_s, least_busy_s)

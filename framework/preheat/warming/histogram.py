"""How long a worker is worth keeping, learned from how long it was idle before: the hybrid histogram policy.

Shahrad et al., "Serverless in the Wild", USENIX ATC 2020, section 4.2: a histogram of idle times in minutes
says when a worker goes and when another is started ahead of the next request; idle times beyond it are
forecast. Here each *level* has one: level k is at work while more than k workers are needed, so that a pool
is a stack of single workers. Pure, and written so that numba compiles it as it stands: the simulator and the
local provider run this text.

What differs from the paper: workers together exist about as long as with a fixed time, `idle_s`, where the
paper takes what the 5th and the 99th percentile ask for. So a request that meets a worker is worth some
seconds of one, the same for all levels: more while less than the fixed time was taken, less while more was.
A level's window is the one that is worth most after what it takes. Forecasts are a weighted mean of the last
idle times in place of ARIMA, with the paper's margin. The constants without a reason here were tried out on
the traffic of tests/bench/warming.py.
"""

from math import exp, sqrt
from typing import NamedTuple, Protocol, TypeVar

Item = TypeVar("Item")

BIN_S = 60.0
BINS = 240
"""Four hours in minutes, as the paper has it."""

MARGIN = 0.10
"""How much earlier than its first bin, and later than its last, a window opens and closes."""
LEAST_SAMPLES = 5
LEAST_IDLE_S = 5 * BIN_S
"""With fewer samples, or a shorter time than bins can divide, each worker stays for `idle_s`."""
MOST_BEYOND = 0.5
"""The share of idle times beyond the histogram from which on they are forecast one by one."""
FORECAST_MARGIN = 0.15
WEIGHT = 0.3
"""What the newest idle time counts in the forecast."""
WORTH = 2.0
"""What it is worth to meet a worker when nothing was saved or overdrawn, in times of `idle_s`."""
REACH = 12.0
"""How many times `idle_s` are to be saved until that is worth e times as much, or overdrawn until an e-th."""
MOST_SAVED = 200.0
"""How many times `idle_s` are remembered as saved or overdrawn: what the past may cost, at most."""


class Row(Protocol[Item]):
    """What lists and arrays have in common."""

    def __getitem__(self, place: int, /) -> Item: ...

    def __setitem__(self, place: int, value: Item, /) -> None: ...


class Gaps(NamedTuple):
    """What is known of the idle times of each level. `counts` has a row of `BINS` for each.

    `saved` has one value: how many seconds of workers less were taken than by a fixed time.
    """

    counts: Row[Row[int]]
    total: Row[int]
    beyond: Row[int]
    ahead: Row[float]
    saved: Row[float]


def no_gaps(levels: int) -> Gaps:
    """Return the state of `levels` levels that were never idle."""
    return Gaps(
        counts=[[0] * BINS for _ in range(levels)],
        total=[0] * levels,
        beyond=[0] * levels,
        ahead=[0.0] * levels,
        saved=[0.0],
    )


def record(gaps: Gaps, level: int, seconds: float, kept_s: float, idle_s: float) -> None:
    """Add an idle time of `level`, of which a worker was kept for `kept_s`."""
    saved = gaps.saved[0] + min(seconds, idle_s) - kept_s
    gaps.saved[0] = max(-MOST_SAVED * idle_s, min(MOST_SAVED * idle_s, saved))
    known = gaps.total[level] + gaps.beyond[level]
    gaps.ahead[level] = seconds if known == 0 else WEIGHT * seconds + (1 - WEIGHT) * gaps.ahead[level]
    place = int(seconds // BIN_S)
    if place >= BINS:
        gaps.beyond[level] += 1
        return
    gaps.counts[level][place] += 1
    gaps.total[level] += 1


def window(gaps: Gaps, level: int, idle_s: float) -> tuple[float, float]:
    """Return from when to when a worker is kept, in seconds after it became idle; twice 0: not at all.

    A first value of 0 means that it stays; one above, that it goes now and another is started then.
    """
    total = gaps.total[level]
    known = total + gaps.beyond[level]
    if known < LEAST_SAMPLES or idle_s < LEAST_IDLE_S:
        return 0.0, idle_s
    worth = idle_s * WORTH * exp(gaps.saved[0] / (REACH * idle_s))
    if gaps.beyond[level] >= MOST_BEYOND * known:
        margin = gaps.ahead[level] * FORECAST_MARGIN
        if 2 * margin > worth:
            return 0.0, 0.0
        return gaps.ahead[level] - margin, gaps.ahead[level] + margin
    # What a window from `begin` to `end` is worth is a sum up to its end less the same up to its begin.
    counts = gaps.counts[level]
    seen, times, place = 0, 0.0, 0
    start = 0.0
    least = -WORTH * idle_s * sqrt(known)  # chance alone makes a later begin look better
    opens = closes = most = 0.0
    while seen < total:
        begin = place * BIN_S * (1 - MARGIN)
        before = worth * seen - times - begin * (known - seen)
        if before < least:
            start, least = begin, before
        seen += counts[place]
        times += counts[place] * (place + 0.5) * BIN_S
        place += 1
        end = place * BIN_S * (1 + MARGIN)
        gain = worth * seen - times - end * (known - seen) - (least if start > 0 else 0.0)
        if gain > most:
            opens, closes, most = start, end, gain
            if seen == known:
                closes = max(end, idle_s)
    return opens, closes

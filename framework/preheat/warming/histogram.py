"""How long a worker is worth keeping, learned from how long it was idle before: the hybrid histogram policy.

Shahrad et al., "Serverless in the Wild", USENIX ATC 2020, section 4.2. One histogram of idle times for each
*level*: level k is at work while more than k workers are needed, so that a pool is a stack of single workers.
Pure, and written so that numba compiles it as it stands: the simulator and the local provider run this text.

What differs from the paper: it forecasts with ARIMA where most idle times are beyond the histogram, we with a
weighted mean of the last ones, and the same margin. `LEAST_SAMPLES` is ours: the paper names no number.
"""

from typing import NamedTuple, Protocol, TypeVar

Item = TypeVar("Item")

BIN_S = 60.0
BINS = 240
"""Four hours in minutes, as the paper has it."""
RANGE_S = BIN_S * BINS

HEAD, TAIL = 0.05, 0.99
MARGIN = 0.10
"""How much earlier than the head, and later than the tail."""
SPREAD = 2.0
"""The coefficient of variation of the bins from which on a histogram says something."""
LEAST_SAMPLES = 5
MOST_BEYOND = 0.5
"""The share of idle times beyond the histogram from which on they are forecast one by one."""
FORECAST_MARGIN = 0.15
WEIGHT = 0.3
"""What the newest idle time counts in the forecast."""


class Row(Protocol[Item]):
    """What lists and arrays have in common."""

    def __getitem__(self, place: int, /) -> Item: ...

    def __setitem__(self, place: int, value: Item, /) -> None: ...


class Gaps(NamedTuple):
    """What is known of the idle times of each level. `counts` has a row of `BINS` for each."""

    counts: Row[Row[int]]
    total: Row[int]
    beyond: Row[int]
    squares: Row[int]
    ahead: Row[float]


def no_gaps(levels: int) -> Gaps:
    """Return the state of `levels` levels that were never idle."""
    return Gaps(
        counts=[[0] * BINS for _ in range(levels)],
        total=[0] * levels,
        beyond=[0] * levels,
        squares=[0] * levels,
        ahead=[0.0] * levels,
    )


def record(gaps: Gaps, level: int, seconds: float) -> None:
    """Add an idle time of `level`."""
    known = gaps.total[level] + gaps.beyond[level]
    gaps.ahead[level] = seconds if known == 0 else WEIGHT * seconds + (1 - WEIGHT) * gaps.ahead[level]
    place = int(seconds // BIN_S)
    if place >= BINS:
        gaps.beyond[level] += 1
        return
    before = gaps.counts[level][place]
    gaps.counts[level][place] = before + 1
    gaps.squares[level] += 2 * before + 1
    gaps.total[level] += 1


def window(gaps: Gaps, level: int) -> tuple[float, float]:
    """Return from when to when a worker is kept, in seconds after it became idle.

    A first value of 0 means that it stays; one above, that it goes now and another is started then.
    """
    total, beyond = gaps.total[level], gaps.beyond[level]
    known = total + beyond
    if known < LEAST_SAMPLES:
        return 0.0, RANGE_S
    if beyond >= MOST_BEYOND * known:
        return gaps.ahead[level] * (1 - FORECAST_MARGIN), gaps.ahead[level] * (1 + FORECAST_MARGIN)
    mean = total / BINS
    variance = gaps.squares[level] / BINS - mean * mean
    if variance < (SPREAD * mean) ** 2:
        return 0.0, RANGE_S
    counts = gaps.counts[level]
    seen = 0
    head = -1
    tail = BINS - 1
    for place in range(BINS):
        seen += counts[place]
        if head < 0 and seen >= HEAD * total:
            head = place
        if seen >= TAIL * total:
            tail = place
            break
    return head * BIN_S * (1 - MARGIN), (tail + 1) * BIN_S * (1 + MARGIN)

"""Which queued requests share a batch when each has a size. Pure.

A batch is padded to its largest request, so it costs a fixed part and `len(batch) * max(sizes)` units.
The oldest request is always in the next batch. Its company is that of the cheapest way to clear the
older half of the queue, the dynamic program of Fang et al., "TurboTransformers" (PPoPP 2021). Nobody of
the newer half overtakes anybody: that costs 3 % of the throughput and keeps the slowest percentile where
arrival order has it. Arrival order itself is taken where splitting has too little to gain.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

WORTH_SPLITTING = 3.0
"""How many fixed costs the padding must exceed: a split pays another one, and makes waiting times unequal."""

WORTH_NOTICING = 0.1
"""The share of a batch that its padding must exceed, whatever the fixed cost is believed to be."""

WINDOW = 4
"""How many full batches of the older half are looked at, so that a long queue costs no more to plan."""


def choose_batch(sizes: Sequence[float], *, max_size: int, fixed_units: float) -> Sequence[int]:
    """Return which of the queued `sizes`, in order of arrival, make the next batch: ascending, 0 among them.

    `fixed_units` is what any batch costs apart from its padded units, in units.
    """
    first = sizes[:max_size]
    units = len(first) * max(first)
    padding = units - sum(first)
    if padding <= max(WORTH_SPLITTING * fixed_units, WORTH_NOTICING * units):
        return range(len(first))
    older = sizes[: min((len(sizes) + 1) // 2, WINDOW * max_size)]
    order = sorted(range(len(older)), key=older.__getitem__)
    ordered = [older[index] for index in order]
    oldest = bisect_left(ordered, older[0])
    cuts = cheapest_cuts(ordered, max_size=max_size, fixed_units=fixed_units)
    start, end = next((a, b) for a, b in pairwise(cuts) if a <= oldest < b)
    return sorted(_oldest_of_equals(order, ordered, start, end))


def cheapest_cuts(ordered: Sequence[float], *, max_size: int, fixed_units: float) -> list[int]:
    """Return where to cut ascending sizes into batches that cost least together: from 0 to len(ordered).

    The best last cut never moves back as requests are added (the costs are Monge), so each search
    starts at the one before; of equally good cuts the last makes the first batches the fullest.
    """
    costs, last_cuts = [0.0], [0]
    for end in range(1, len(ordered) + 1):
        largest = ordered[end - 1]
        padding, cheapest, best = 0.0, costs[end - 1], end - 1
        for start in range(end - 2, max(last_cuts[-1], end - max_size) - 1, -1):
            padding += largest - ordered[start]
            if (cost := costs[start] + padding) < cheapest:
                cheapest, best = cost, start
        costs.append(cheapest + fixed_units)
        last_cuts.append(best)
    cuts = [len(ordered)]
    while cuts[-1] > 0:
        cuts.append(last_cuts[cuts[-1]])
    return cuts[::-1]


def _oldest_of_equals(order: Sequence[int], ordered: Sequence[float], start: int, end: int) -> list[int]:
    """Return the requests of a batch; where it cuts through equal sizes at its start, the oldest of them."""
    run_start = bisect_left(ordered, ordered[start])
    run_end = bisect_right(ordered, ordered[start], start, end)
    return [*order[run_start : run_start + run_end - start], *order[run_end:end]]

"""When to run which requests together. Pure: told of arrivals and of batches done, it says what to do.

The policy is eager: a request never waits while nobody else is about, and while a batch runs the
next one gathers. It waits for company only when company is likely and worth it. Likely: as many
requests as were in hand when the last batch ended tend to come back together, since callers send
the next request on the answer to the last; without a wait they split into two groups that take
turns for ever. Worth it: each batch pays a fixed cost, learned from the sizes and times of recent
batches, and waiting a quarter of it is cheap against paying it twice. `max_wait_ms` bounds the wait.

Batches are taken in order of arrival, or, where requests have sizes, as `grouping` says.
"""

from collections.abc import Callable, Hashable
from itertools import islice
from math import inf
from typing import Generic, TypeVar

from preheat.runtime.grouping import WINDOW, choose_batch

Item = TypeVar("Item", bound=Hashable)

DECAY = 0.9
WAIT_SHARE = 0.25
SPREAD = 0.01
"""How unlike recent batches must be to tell the fixed cost from the rest: variance over squared mean."""


class BatchCost:
    """What a batch costs: a line through recent (units, seconds), by least squares.

    `fixed_s` is its intercept; `fixed_units` is the same in units, infinite where units cost
    nothing. Both are 0 until two unlike batches have been seen.
    """

    def __init__(self) -> None:
        self.fixed_s = 0.0
        self.fixed_units = 0.0
        self._weight = self._units = self._times = self._squares = self._products = 0.0

    def learn(self, units: float, seconds: float) -> None:
        """Take one batch into account. Without two sizes to compare, the estimate stays."""
        weight = self._weight = self._weight * DECAY + 1
        total = self._units = self._units * DECAY + units
        times = self._times = self._times * DECAY + seconds
        squares = self._squares = self._squares * DECAY + units * units
        products = self._products = self._products * DECAY + units * seconds
        spread = squares * weight - total * total
        if spread > SPREAD * total * total:
            slope = max(0.0, (products * weight - total * times) / spread)
            self.fixed_s = max(0.0, (times - slope * total) / weight)
            self.fixed_units = self.fixed_s / slope if slope > 0 else inf


class BatchPolicy(Generic[Item]):
    """A queue of distinct items that says when its next batch is due; one batch runs at a time.

    `clock` gives seconds and never goes back. Every batch holds the oldest request, so one that
    comes when n others are queued is in the batch n + 1 from then at the latest. Requests of
    equal size, and all of them without `grouped`, keep their order.
    """

    def __init__(
        self, *, max_size: int, max_wait_ms: float, clock: Callable[[], float], grouped: bool = False
    ) -> None:
        self._max_size = max_size
        self._max_wait_s = max_wait_ms / 1000
        self._clock = clock
        self._grouped = grouped
        self._learns = max_size > 1 and (grouped or max_wait_ms > 0)
        self._queue: dict[Item, float] = {}  # to deadlines
        self._sizes: dict[Item, float] = {}  # where grouped
        self._units = 0.0
        self._expected = 1
        self._cost = BatchCost()
        self._waiting_since = clock()
        self._earliest = inf  # no deadline in the queue is before it

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, item: Item, *, size: float = 1.0, deadline: float = inf) -> None:
        """Queue `item`, behind all others. `size` is from 0 to 1e12, `deadline` a time of the clock."""
        queue = self._queue
        if not queue and self._learns:
            self._waiting_since = self._clock()
        queue[item] = deadline
        if self._grouped:
            self._sizes[item] = size
        if deadline < self._earliest:
            self._earliest = deadline

    def remove(self, item: Item) -> bool:
        """Take `item` out again; False when it is no longer queued."""
        self._sizes.pop(item, None)
        return self._queue.pop(item, None) is not None

    def wait_s(self) -> float | None:
        """Return how long the next batch may still wait for company: 0 when due, None when there is none.

        Forgets the items whose deadline has passed: they are in no batch.
        """
        if not self._queue:
            return None
        now = self._clock()
        if now >= self._earliest:
            self._forget_late(now)
            if not self._queue:
                return None
        if len(self._queue) >= self._expected:
            return 0.0
        due = self._waiting_since + min(self._max_wait_s, WAIT_SHARE * self._cost.fixed_s)
        return 0.0 if due >= self._earliest else max(0.0, due - now)

    def take(self) -> list[Item]:
        """Take the next batch out of the queue, in order of arrival: at most `max_size`."""
        if self._grouped:
            return self._take_group()
        if len(self._queue) <= self._max_size:
            batch = list(self._queue)
            self._queue.clear()
            self._earliest = inf
            return batch
        batch = list(islice(self._queue, self._max_size))
        for item in batch:
            del self._queue[item]
        return batch

    def done(self, size: int, seconds: float) -> None:
        """Say that the batch of `size` was answered after `seconds` and that the model is free again."""
        if not self._learns:
            return
        self._cost.learn(self._units if self._grouped else size, seconds)
        self._expected = max(1, min(self._max_size, size + len(self._queue)))
        self._waiting_since = self._clock()

    def _take_group(self) -> list[Item]:
        within = 2 * WINDOW * self._max_size
        items = list(islice(self._sizes, within))
        sizes = list(islice(self._sizes.values(), within))
        chosen = choose_batch(sizes, max_size=self._max_size, fixed_units=self._cost.fixed_units)
        self._units = len(chosen) * max(sizes[index] for index in chosen)
        batch = [items[index] for index in chosen]
        for item in batch:
            self.remove(item)
        return batch

    def _forget_late(self, now: float) -> None:
        for item in [item for item, deadline in self._queue.items() if deadline <= now]:
            self.remove(item)
        self._earliest = min(self._queue.values(), default=inf)

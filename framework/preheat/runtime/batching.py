"""When to run which requests together. Pure: told of arrivals and of batches done, it says what to do.

The policy is eager: a request never waits while nobody else is about, and while a batch runs the
next one gathers. It waits for company only when company is likely and worth it. Likely: as many
requests as were in hand when the last batch ended tend to come back together, since callers send
the next request on the answer to the last; without a wait they split into two groups that take
turns for ever. Worth it: each batch pays a fixed cost, learned from the sizes and times of recent
batches, and waiting a quarter of it is cheap against paying it twice. `max_wait_ms` bounds the wait.
"""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

DECAY = 0.9
WAIT_SHARE = 0.25


class FixedCost:
    """What a batch costs apart from its items: the intercept of a line through recent (size, seconds)."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._weight = self._sizes = self._times = self._squares = self._products = 0.0

    def learn(self, size: int, seconds: float) -> None:
        """Take one batch into account. Without two sizes to compare, the estimate stays."""
        self._weight = self._weight * DECAY + 1
        self._sizes = self._sizes * DECAY + size
        self._times = self._times * DECAY + seconds
        self._squares = self._squares * DECAY + size * size
        self._products = self._products * DECAY + size * seconds
        spread = self._squares * self._weight - self._sizes**2
        if spread > 0.01 * self._weight**2:
            slope = (self._products * self._weight - self._sizes * self._times) / spread
            self.seconds = max(0.0, (self._times - max(0.0, slope) * self._sizes) / self._weight)


class BatchPolicy(Generic[Item]):
    """A queue that says when its next batch is due. `clock` gives seconds and never goes back."""

    def __init__(self, *, max_size: int, max_wait_ms: float, clock: Callable[[], float]) -> None:
        self._max_size = max_size
        self._max_wait_s = max_wait_ms / 1000
        self._clock = clock
        self._queue: deque[Item] = deque()
        self._expected = 1
        self._fixed = FixedCost()
        self._waiting_since = clock()

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, item: Item) -> None:
        """Queue `item`, behind all others."""
        if not self._queue:
            self._waiting_since = self._clock()
        self._queue.append(item)

    def remove(self, item: Item) -> bool:
        """Take `item` out again; False when it is no longer queued."""
        try:
            self._queue.remove(item)
        except ValueError:
            return False
        return True

    def wait_s(self) -> float | None:
        """Return how long the next batch may still wait for company: 0 when due, None when there is none."""
        if not self._queue:
            return None
        if len(self._queue) >= self._expected:
            return 0.0
        patience_s = min(self._max_wait_s, WAIT_SHARE * self._fixed.seconds)
        return max(0.0, self._waiting_since + patience_s - self._clock())

    def take(self) -> list[Item]:
        """Take the next batch: the oldest requests, in order, at most `max_size`."""
        return [self._queue.popleft() for _ in range(min(self._max_size, len(self._queue)))]

    def done(self, size: int, seconds: float) -> None:
        """Say that a batch of `size` was answered after `seconds` and that the model is free again."""
        self._fixed.learn(size, seconds)
        self._expected = max(1, min(self._max_size, size + len(self._queue)))
        self._waiting_since = self._clock()

"""A model and its callers in simulated time: what a batching policy makes of a load."""

import heapq
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from tests.fakes.clock import HandClock

from preheat.runtime.batching import BatchPolicy

Lengths = Callable[[random.Random], int]


@dataclass(eq=False, slots=True)
class Ask:
    """One request: how many tokens it has and when it came."""

    tokens: int
    came: float


@dataclass(frozen=True, slots=True)
class Load:
    """Who asks: `callers` that ask again `turnaround_s` after each answer, or arrivals at `rate` a second."""

    lengths: Lengths
    callers: int = 0
    rate: float = 0.0
    turnaround_s: float = 0.0002
    requests: int = 4000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Served:
    """What came of a load, without the first tenth of it."""

    per_second: float
    latencies_s: Sequence[float]
    mean_batch: float

    def percentile_s(self, percent: int) -> float:
        """Return a percentile of the latencies."""
        return statistics.quantiles(self.latencies_s, n=100)[percent - 1]


@dataclass(frozen=True, slots=True)
class Transformer:
    """A model whose batches cost a fixed time and a time for each padded token."""

    fixed_s: float = 0.0006
    token_s: float = 9e-6

    def seconds(self, batch: Sequence[Ask], dice: random.Random) -> float:
        """Return what `batch` takes, give or take 5 %."""
        padded = len(batch) * max(ask.tokens for ask in batch)
        return (self.fixed_s + self.token_s * padded) * dice.uniform(0.95, 1.05)


def uniform_lengths(dice: random.Random) -> int:
    """Return any length from 8 to 256 tokens."""
    return dice.randint(8, 256)


def sentence_lengths(dice: random.Random) -> int:
    """Return the length of a sentence: mostly short, some long (log-normal, median 37 tokens)."""
    return max(8, min(256, round(dice.lognormvariate(3.6, 0.8))))


def simulate(load: Load, model: Transformer, *, grouped: bool, max_size: int = 32) -> Served:
    """Serve `load` with a new policy."""
    clock = HandClock(0.0)
    policy: BatchPolicy[Ask] = BatchPolicy(max_size=max_size, max_wait_ms=5, clock=clock, grouped=grouped)
    lengths, dice, order = random.Random(load.seed), random.Random(load.seed + 1), count()
    arrivals: list[tuple[float, int]] = []

    def arrive(at: float) -> None:
        heapq.heappush(arrivals, (at, next(order)))

    def pass_time(until: float) -> None:
        while arrivals and arrivals[0][0] <= until:
            clock.now = heapq.heappop(arrivals)[0]
            ask = Ask(load.lengths(lengths), clock.now)
            policy.add(ask, size=ask.tokens)
        clock.now = until

    at = 0.0
    for _ in range(load.callers or load.requests):
        at += dice.expovariate(load.rate) if load.rate else 0.0
        arrive(at)
    answered: list[tuple[float, float]] = []
    batches = 0
    while len(answered) < load.requests:
        wait_s = policy.wait_s()
        if wait_s is None:
            pass_time(arrivals[0][0])
        elif wait_s > 0:
            pass_time(min(clock.now + wait_s, arrivals[0][0] if arrivals else clock.now + wait_s))
        else:
            batch = policy.take()
            seconds = model.seconds(batch, dice)
            pass_time(clock.now + seconds)
            policy.done(len(batch), seconds)
            batches += 1
            for ask in batch:
                answered.append((clock.now, clock.now - ask.came))
                if load.callers:
                    arrive(clock.now + load.turnaround_s)
    steady = answered[len(answered) // 10 :]
    return Served(
        per_second=len(steady) / (steady[-1][0] - steady[0][0]),
        latencies_s=[latency_s for _, latency_s in steady],
        mean_batch=len(answered) / batches,
    )

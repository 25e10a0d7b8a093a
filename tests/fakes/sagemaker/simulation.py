"""An asynchronous endpoint of simulated instances, on a fake clock, under the policies of a template.

Ours, and not AWS's. The metrics are those of
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html: the backlog counts what waits
and what is being processed, once a minute, and without an instance it is divided by one: an endpoint without
the step policy leaves zero when the backlog exceeds the target, as the page on autoscaling says. Whether it
is published while nothing runs and nothing waits, no page says; users see that after a wake the alarm for
removing gathers its 15 points anew, so here it is not, unless the fleet says otherwise.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import groupby
from typing import Any

from tests.fakes.clock import HandClock
from tests.fakes.sagemaker.alarms import PERIOD_S
from tests.fakes.sagemaker.autoscaling import AutoScaler
from tests.fakes.sagemaker.policies import read_scaling


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """How instances behave. An instance is ready `start_s` after it was asked for.

    One that is taken away finishes what it works on, or with `kills` does not, which no page says. Of
    several, an idle one goes first, which no page says either.
    """

    start_s: float = 240.0
    work_s: float = 10.0
    concurrent: int = 1
    running: int = 0
    tells_when_idle: bool = False
    kills: bool = False


@dataclass(frozen=True, kw_only=True)
class Minute:
    """One minute's end. `desired` was decided, `running` are ready, `backlog` counts requests."""

    minute: int
    desired: int
    running: int
    backlog: int


@dataclass(frozen=True)
class History:
    """What happened. `waits` are the seconds until each answer, in order of the answers; `lost` got none."""

    minutes: tuple[Minute, ...]
    waits: tuple[float, ...]
    lost: int = 0

    @property
    def levels(self) -> list[int]:
        """The numbers of running instances, one after another."""
        return [running for running, _ in groupby(each.running for each in self.minutes)]

    @property
    def most(self) -> int:
        """The largest number that was ever asked for."""
        return max(each.desired for each in self.minutes)

    def first(self, running: int, *, after: int = 0) -> int:
        """Return the minute when so many instances ran first."""
        return next(each.minute for each in self.minutes if each.minute >= after and each.running == running)


def simulate(
    resources: Mapping[str, Any], arrivals: Iterable[float], *, minutes: int, fleet: Fleet | None = None
) -> History:
    """Let requests arrive at seconds after the start, at an endpoint that `resources` scale."""
    simulation = _Simulation(resources, sorted(arrivals), fleet or Fleet())
    made = tuple(simulation.minute(number) for number in range(1, minutes + 1))
    return History(made, tuple(simulation.waits), simulation.lost)


class _Simulation:
    def __init__(self, resources: Mapping[str, Any], arrivals: list[float], fleet: Fleet) -> None:
        self._clock = HandClock(0.0)
        self._scaler = AutoScaler(read_scaling(resources), self._clock, fleet.running)
        self._fleet = fleet
        self._arrivals = deque(arrivals)
        self._waiting: deque[float] = deque()
        self._working: list[tuple[float, float]] = []
        self._starting: list[float] = []
        self._running = fleet.running
        self._series: dict[str, list[float | None]] = {}
        self.waits: list[float] = []
        self.lost = 0

    def minute(self, number: int) -> Minute:
        """Let a minute pass, publish its metrics, and scale."""
        end = float(number * PERIOD_S)
        while (event := self._next_event()) <= end:
            self._clock.now = event
            self._happen()
        self._clock.now = end
        self._publish()
        self._follow(self._scaler.decide(self._series))
        return Minute(
            minute=number, desired=self._scaler.capacity, running=self._running, backlog=self._backlog
        )

    @property
    def _backlog(self) -> int:
        return len(self._waiting) + len(self._working)

    def _next_event(self) -> float:
        return min(
            self._arrivals[0] if self._arrivals else float("inf"),
            self._working[0][0] if self._working else float("inf"),
            self._starting[0] if self._starting else float("inf"),
        )

    def _happen(self) -> None:
        now = self._clock.now
        while self._arrivals and self._arrivals[0] <= now:
            self._waiting.append(self._arrivals.popleft())
        while self._working and self._working[0][0] <= now:
            _, arrived = heappop(self._working)
            self.waits.append(now - arrived)
        while self._starting and self._starting[0] <= now:
            self._starting.pop(0)
            self._running += 1
        while self._waiting and len(self._working) < self._running * self._fleet.concurrent:
            heappush(self._working, (now + self._fleet.work_s, self._waiting.popleft()))

    def _publish(self) -> None:
        idle = self._running == 0 and self._backlog == 0
        silent = idle and not self._fleet.tells_when_idle
        points = {
            "ApproximateBacklogSizePerInstance": None if silent else self._backlog / max(1, self._running),
            "HasBacklogWithoutCapacity": float(self._backlog > 0 and self._running == 0),
        }
        for name, point in points.items():
            self._series.setdefault(name, []).append(point)

    def _follow(self, desired: int) -> None:
        more = desired - self._running - len(self._starting)
        self._starting += [self._clock.now + self._fleet.start_s] * max(0, more)
        for _ in range(max(0, -more)):
            if self._starting:
                self._starting.pop()
            else:
                self._running -= 1
        if self._fleet.kills:
            kept = sorted(self._working)[: self._running * self._fleet.concurrent]
            self.lost += len(self._working) - len(kept)
            self._working = kept

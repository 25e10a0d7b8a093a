"""How many workers should run: a pure policy. In: what there is. Out: what to do. Touches nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from preheat.project.model import Scaling

WorkerState = Literal["starting", "ready", "stopping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLoad:
    """One worker. `idle_since` is None while it has something to do or is not ready."""

    id: str
    state: WorkerState
    in_flight: int = 0
    idle_since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A pool at the moment `now`. No worker may start before `start_after`, which a back-off sets."""

    now: float
    workers: Sequence[WorkerLoad]
    waiting: int
    concurrency: int
    start_after: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many workers to start, which to stop, and when to decide again at the latest."""

    start: int = 0
    stop: tuple[str, ...] = ()
    wake_at: float | None = None


def needed(load: Load) -> int:
    """Return how many workers the requests need: the busy ones, and those for who waits."""
    busy = sum(worker.state == "ready" and worker.in_flight > 0 for worker in load.workers)
    return busy + math.ceil(load.waiting / max(1, load.concurrency))


def decide(scaling: Scaling, load: Load) -> Decision:
    """Return what brings the pool to: busy workers, those the waiting requests need, and `warm` on top.

    Never more than `max` processes, those that are stopping included, and never fewer than `min`
    once started. A worker that is not needed stops after `idle_s`, the longest idle first.
    """
    ready = [worker for worker in load.workers if worker.state == "ready"]
    live = len(ready) + sum(worker.state == "starting" for worker in load.workers)
    desired = min(scaling.max, max(scaling.min, needed(load) + scaling.warm))
    start = max(0, min(desired - live, scaling.max - len(load.workers)))
    wakes: list[float] = []
    if start and load.now < load.start_after:
        start = 0
        wakes.append(load.start_after)
    surplus = max(0, len(ready) - desired)
    idle = sorted((worker.idle_since, worker.id) for worker in ready if worker.idle_since is not None)
    stop = []
    for idle_since, worker_id in idle[:surplus]:
        if load.now >= idle_since + scaling.idle_s:
            stop.append(worker_id)
        else:
            wakes.append(idle_since + scaling.idle_s)
    return Decision(start=start, stop=tuple(stop), wake_at=min(wakes, default=None))

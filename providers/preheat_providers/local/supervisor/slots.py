"""What a pool is made of: its bounds, what starts its workers, a worker's place, a waiting request."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from preheat.project.model import Scaling
from preheat.provider.warm_options import LeastHours
from preheat_providers.local.supervisor.scaling import WorkerState
from preheat_providers.local.supervisor.worker import Worker


class Starter(Protocol):
    """Starts worker processes of one release."""

    def start(self) -> Worker:
        """Begin to start one; it reports itself."""
        ...

    async def close(self) -> None:
        """End what it keeps beside the workers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """The bounds of one pool. Times are in seconds; `concurrency` is a guess until a worker is ready.

    `hours` say when how many workers always run, `histogram` that past idle times say how long others stay.
    """

    function: str
    release: int
    scaling: Scaling
    timeout_s: float
    setup_s: float
    concurrency: int = 1
    histogram: bool = False
    hours: tuple[LeastHours, ...] = ()


@dataclass(slots=True, eq=False)
class Slot:
    """One worker and what it does now. `fresh` until it has answered for the first time."""

    worker: Worker
    state: WorkerState = "starting"
    concurrency: int = 1
    in_flight: int = 0
    idle_since: float | None = None
    fresh: bool = True
    phases: tuple[tuple[str, float], ...] = ()
    kill_timer: asyncio.TimerHandle | None = None

    @property
    def free(self) -> bool:
        """Whether it takes another request now."""
        return self.state == "ready" and self.in_flight < self.concurrency


@dataclass(slots=True, eq=False)
class Ticket:
    """One request. `cold` once it is known to wait for a start, `waited` if it was not placed at once."""

    place: "asyncio.Future[Slot]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    cold: bool = False
    waited: bool = False

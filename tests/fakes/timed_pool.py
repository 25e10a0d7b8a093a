"""The local provider's own pool on virtual time: workers take a set time to start and to answer."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.fakes.virtual_loop import run_virtually
from tests.fakes.workers import FakeWorker, ListLog

from preheat.interface.message import START_HEADER, Request, Response
from preheat.project.model import Scaling
from preheat.provider.warm_options import LeastHours
from preheat_providers.local.supervisor.pool import Pool
from preheat_providers.local.supervisor.slots import PoolSettings


class TimedWorker(FakeWorker):
    """Answers after `service_s`."""

    service_s = 0.0

    async def exchange(self, request: Request, *, limit_s: float, release: Callable[[], None]) -> Response:
        await asyncio.sleep(self.service_s)
        release()
        return Response(body=b"1", model_ms=1.0)


class TimedStarter:
    """Implements Starter. Each worker is ready after `cold_s`; `alive_s` sums how long workers existed."""

    def __init__(self, cold_s: float, service_s: float) -> None:
        self._cold_s = cold_s
        self._service_s = service_s
        self.starts = 0
        self.alive_s = 0.0

    def start(self) -> TimedWorker:
        self.starts += 1
        worker = TimedWorker(f"w{self.starts}")
        worker.service_s = self._service_s
        loop = asyncio.get_running_loop()
        began = loop.time()
        loop.call_later(self._cold_s, worker.become_ready)
        worker.end.add_done_callback(lambda _: self._ended(loop.time() - began))
        return worker

    def _ended(self, seconds: float) -> None:
        self.alive_s += seconds

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class Observed:
    """What a replay came to. `cold` requests found no worker ready; `waits_s` are those of every request."""

    cold: int
    starts: int
    alive_s: float
    waits_s: tuple[float, ...]


def replay_on_a_pool(
    arrivals: Sequence[float],
    scaling: Scaling,
    *,
    cold_s: float,
    service_s: float,
    histogram: bool = False,
    hours: tuple[LeastHours, ...] = (),
) -> Observed:
    """Send a request at each of `arrivals`, from when workers that always run are ready."""

    async def run() -> Observed:
        loop = asyncio.get_running_loop()
        starter = TimedStarter(cold_s, service_s)
        settings = PoolSettings(
            function="demo@dev",
            release=1,
            scaling=scaling,
            timeout_s=3600.0,
            setup_s=3600.0,
            histogram=histogram,
            hours=hours,
        )
        pool = Pool(settings, starter, log=ListLog())
        pool.open()

        async def call(number: int, at: float) -> tuple[bool, float]:
            await asyncio.sleep(cold_s + at)
            began = loop.time()
            response = await pool.invoke(Request(body=b"1", id=str(number)))
            assert response.status == 200, response
            return response.headers[START_HEADER] == "cold", loop.time() - began - service_s

        answers = await asyncio.gather(*(call(number, at) for number, at in enumerate(arrivals)))
        starts = starter.starts
        await pool.drain()
        return Observed(
            cold=sum(cold for cold, _ in answers),
            starts=starts,
            alive_s=starter.alive_s,
            waits_s=tuple(wait for _, wait in answers),
        )

    return run_virtually(run())

"""A job store with its runner, and a trigger host, over engines of the test; events can be waited for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.engine import Answer, FakeEngine
from tests.fakes.patience import PATIENCE_S

from preheat.interface.message import Engine, Request, Response
from preheat.runtime.jobs import Job
from preheat_providers.local.jobs import Courier, FunctionJobs, JobRunner, JobStore, Retry
from preheat_providers.local.triggers import TriggerHost
from preheat_providers.local.triggers.host import Timing

FUNCTION = "ocr@dev"
FINISHED = ("job-succeeded", "job-failed", "job-cancelled")
FAST = Retry(base_s=0.002, cap_s=0.02)


class FakeClock:
    """A wall clock that only the test moves."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Events:
    """A log whose events a test waits for."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, object]]] = []
        self._more = asyncio.Condition()

    def __call__(self, event: str, **fields: object) -> None:
        self.seen.append((event, fields))
        asyncio.get_running_loop().create_task(self._tell())

    def named(self, name: str) -> list[dict[str, object]]:
        return [fields for event, fields in self.seen if event == name]

    async def until(self, name: str, count: int = 1) -> list[dict[str, object]]:
        """Wait until `count` events have that name."""
        async with asyncio.timeout(PATIENCE_S), self._more:
            await self._more.wait_for(lambda: len(self.named(name)) >= count)
        return self.named(name)

    async def until_one(self, wanted: Callable[[str, dict[str, object]], bool]) -> None:
        """Wait until an event is as wanted."""
        async with asyncio.timeout(PATIENCE_S), self._more:
            await self._more.wait_for(lambda: any(wanted(*each) for each in self.seen))

    async def _tell(self) -> None:
        async with self._more:
            self._more.notify_all()


@dataclass
class Queue:
    """One home. `engines` maps a function to what answers for it."""

    home: Path
    store: JobStore
    runner: JobRunner
    host: TriggerHost
    events: Events
    engines: dict[str, Engine] = field(default_factory=dict)

    def jobs(self, function: str = FUNCTION) -> FunctionJobs:
        return FunctionJobs(self.store, self.runner, function, 3600)

    async def done(self, job_id: str, function: str = FUNCTION) -> Job:
        """Return the job once it has finished."""
        await self.events.until_one(lambda name, fields: fields.get("job") == job_id and name in FINISHED)
        return await self.store.get(function, job_id)


@asynccontextmanager
async def queue(
    home: Path,
    engine: Engine | None = None,
    *,
    clock: Callable[[], float] | None = None,
    timing: Timing | None = None,
    per_function: int = 8,
    private: bool = True,
    started: bool = True,
) -> AsyncIterator[Queue]:
    """Open the home's queue; `FUNCTION` is answered by `engine`, by default an echo."""
    now = time.time if clock is None else clock
    events = Events()
    store = JobStore(home / "jobs.db", clock=now)
    engines: dict[str, Engine] = {FUNCTION: FakeEngine() if engine is None else engine}
    courier = Courier(store, clock=now, log=events, allow_private=lambda _: private, retry=FAST)
    runner = JobRunner(
        store, engines.get, clock=now, log=events, retry=FAST, per_function=per_function, courier=courier
    )
    host = TriggerHost(
        store,
        runner,
        home=home,
        log=events,
        timing=timing or Timing(settle_s=0.05, poll_s=0.05, long_poll_s=1),
    )
    if started:
        await runner.start()
    try:
        yield Queue(home, store, runner, host, events, engines)
    finally:
        await host.stop()
        await runner.stop()
        store.close()


def request(body: bytes = b'{"text": "hello"}', content_type: str = "application/json") -> Request:
    return Request(id="r", body=body, content_type=content_type)


def answers(*responses: Response) -> Answer:
    """Answer with each in turn, and with the last one from then on."""
    left = list(responses)

    async def answer(_: Request) -> Response:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer

"""The triggers of every deployed function of one home: attaches, detaches, replays and backfills them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from preheat.errors import ProviderError
from preheat.interface.manifest import Limits
from preheat.project.model import ObjectCreated, Schedule, Trigger
from preheat_providers.local.jobs import Clock, JobRunner, JobStore, Log
from preheat_providers.local.options import Options
from preheat_providers.local.triggers.aws import sqs_client
from preheat_providers.local.triggers.dead_letters import DeadLetters, Unreadable
from preheat_providers.local.triggers.delivering import FunctionDeliveries
from preheat_providers.local.triggers.folder import FolderBucket
from preheat_providers.local.triggers.intake import Intake
from preheat_providers.local.triggers.opening import Buckets, backfill_source
from preheat_providers.local.triggers.polling import LONG_POLL_S, POLL_S, S3Poll, S3Queue
from preheat_providers.local.triggers.schedule import ScheduleSource
from preheat_providers.local.triggers.watch import SETTLE_S, FolderWatch
from preheat_providers.local.triggers.wiring import Route, routes

RESTART_S = 1.0
LONGEST_RESTART_S = 60.0


class Source(Protocol):
    """Something that queues deliveries until it is cancelled."""

    async def run(self, ready: Callable[[], None]) -> None:
        """Call `ready` when nothing can be missed any more; raise when the source cannot go on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The clocks of the triggers, in seconds."""

    clock: Clock = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    settle_s: float = SETTLE_S
    poll_s: float = POLL_S
    long_poll_s: int = LONG_POLL_S


@dataclass(slots=True, kw_only=True)
class _Attached:
    routes: tuple[Route, ...]
    options: Options
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class TriggerHost:
    """One host a supervisor. A function is `name@stage`; its queued deliveries outlive a detach."""

    def __init__(
        self, store: JobStore, runner: JobRunner, *, home: Path, log: Log, timing: Timing | None = None
    ) -> None:
        self._store = store
        self._runner = runner
        self._home = home
        self._log = log
        self._timing = Timing() if timing is None else timing
        self._attached: dict[str, _Attached] = {}
        self._buckets = Buckets(log)

    async def attach(
        self,
        function: str,
        project_triggers: Sequence[Trigger],
        options: Options,
        *,
        limits: Limits | None = None,
    ) -> None:
        """Watch and tick for `function` instead of what was attached before; returns once nothing is missed.

        `limits.body_bytes` bounds an object. Raises ProviderError for what the project must change.
        A source that fails later, or whose server is away, is logged and started again.
        """
        created = [each for each in project_triggers if isinstance(each, ObjectCreated)]
        found = routes(created, options, self._home)
        schedules = [each for each in project_triggers if isinstance(each, Schedule)]
        sources = [(each.trigger.name, await self._watch(function, each, options)) for each in found]
        sources += [(each.name, self._ticking(function, each)) for each in schedules]
        await self.detach(function)
        attached = _Attached(routes=found, options=options)
        self._attached[function] = attached
        ready = [asyncio.Event() for _ in sources]
        for (name, source), event in zip(sources, ready, strict=True):
            attached.tasks.append(asyncio.create_task(self._keep(function, name, source, event)))
        await asyncio.gather(*(event.wait() for event in ready))
        limit = (Limits() if limits is None else limits).body_bytes
        deliveries = FunctionDeliveries(self._buckets.open, self._letters(function), limit=limit)
        self._runner.register(function, deliveries)

    async def detach(self, function: str) -> None:
        """Stop watching and ticking; what is queued stays queued until the function is attached again."""
        attached = self._attached.pop(function, None)
        self._runner.unregister(function)
        if attached is not None:
            for task in attached.tasks:
                task.cancel()
            await asyncio.gather(*attached.tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Detach every function."""
        for function in tuple(self._attached):
            await self.detach(function)

    async def replay(self, function: str) -> int:
        """Queue every dead letter of `function` again, each once; return how many that were.

        Raises ProviderError when it is not attached, or no longer as it was at the beginning.
        """
        attached = self._attachment(function)
        letters = self._letters(function)
        count = 0
        for letter in await asyncio.to_thread(lambda: tuple(letters.letters())):
            if isinstance(letter, Unreadable):
                reason = f"{letter.path}: {letter.reason}"
                self._log("dead-letter-unreadable", function=function, reason=reason)
                continue
            revived = await self._store.revive(letter.job_id, letter.attempt)
            if revived is None:
                self._check_unchanged(function, attached)
                revived = await self._store.deliver(function, letter.delivery)
            count += revived
            await asyncio.to_thread(letters.remove, letter)
        self._runner.wake()
        self._log("replayed", function=function, deliveries=count)
        return count

    async def backfill(self, function: str, source: str) -> int:
        """Queue what `source` holds and was not queued yet (a folder, `s3://BUCKET/PREFIX`); return how many.

        Raises ProviderError when there is no such source or no trigger to run its objects for, and
        when the function is not attached, or no longer as it was at the beginning.
        """
        attached = self._attachment(function)
        place, prefix, route = backfill_source(source, attached.routes, attached.options)
        own = place == route.source
        bucket = await self._buckets.open(place)
        intake = self._intake(function, route)
        count = 0
        for found in await bucket.list(prefix):
            wanted = intake.wants(found.key) if own else found.key.endswith(route.trigger.suffix)
            record = await bucket.identify(found) if wanted else None
            if record is not None:
                self._check_unchanged(function, attached)
                count += await intake.take(place, record, mtime_ns=found.mtime_ns, remember=own)
        self._log("backfilled", function=function, source=source, deliveries=count)
        return count

    def _attachment(self, function: str) -> _Attached:
        attached = self._attached.get(function)
        if attached is None:
            raise ProviderError(
                f"{function} is not deployed here, or could not be brought up again.",
                hint="See what is: preheat status",
            )
        return attached

    def _check_unchanged(self, function: str, attached: _Attached) -> None:
        """Raise ProviderError where a row queued now would outlive the function that it is for."""
        if self._attached.get(function) is not attached:
            raise ProviderError(
                f"{function} was deployed or destroyed meanwhile, so not everything was queued.",
                hint="Repeat it: what is queued is not queued again.",
            )

    async def _keep(self, function: str, name: str, source: Source, started: asyncio.Event) -> None:
        """Run a source for ever; `started` is set once it is ready, or has failed for the first time."""
        delay_s = RESTART_S
        failed = False

        def ready() -> None:
            nonlocal failed
            started.set()
            if failed:
                failed = False
                self._log("trigger-recovered", function=function, trigger=name)

        while True:
            began = self._timing.monotonic()
            try:
                await source.run(ready)
            except Exception as error:  # noqa: BLE001 - supervisor: one trigger must not end the others
                self._log("trigger-failed", function=function, trigger=name, reason=str(error) or repr(error))
            failed = True
            started.set()
            if self._timing.monotonic() - began > LONGEST_RESTART_S:
                delay_s = RESTART_S
            await self._timing.sleep(delay_s)
            delay_s = min(LONGEST_RESTART_S, delay_s * 2)

    async def _watch(self, function: str, route: Route, options: Options) -> Source:
        bucket = await self._buckets.open(route.source)
        await self._buckets.open(route.sink.place)
        intake = self._intake(function, route)
        timing = self._timing
        if isinstance(bucket, FolderBucket):
            return FolderWatch(bucket, intake, settle_s=timing.settle_s, monotonic=timing.monotonic)
        if options.events == "poll":
            return S3Poll(bucket, intake, poll_s=timing.poll_s, sleep=timing.sleep)
        client = await asyncio.to_thread(sqs_client, options.events)
        return S3Queue(
            bucket,
            intake,
            url=options.events,
            client=client,
            letters=self._letters(function),
            long_poll_s=timing.long_poll_s,
        )

    def _ticking(self, function: str, trigger: Schedule) -> Source:
        return ScheduleSource(
            self._store,
            self._runner,
            function=function,
            trigger=trigger,
            clock=self._timing.clock,
            sleep=self._timing.sleep,
            log=self._log,
        )

    def _intake(self, function: str, route: Route) -> Intake:
        return Intake(
            self._store,
            self._runner,
            function=function,
            trigger=route.trigger,
            sink=route.sink,
            log=self._log,
        )

    def _letters(self, function: str) -> DeadLetters:
        return DeadLetters(self._home, function, clock=self._timing.clock)

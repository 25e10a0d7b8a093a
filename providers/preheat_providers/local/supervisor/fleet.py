"""The worker processes of one release: started, watched and stopped as `scaling.decide` says.

Touches processes through a Starter only. Whoever has requests says so as a Demand.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any, Protocol

from preheat.runtime.supervision import backoff_s
from preheat_providers.local.supervisor.keeping import Keeping
from preheat_providers.local.supervisor.logs import Log
from preheat_providers.local.supervisor.scaling import Load, WorkerLoad, decide, needed
from preheat_providers.local.supervisor.slots import PoolSettings, Slot, Starter
from preheat_providers.local.supervisor.worker import StartFailed

STOP_S = 10.0


class Demand(Protocol):
    """The requests that wait for a worker."""

    @property
    def waiting(self) -> int:
        """How many there are."""
        ...

    def serve(self) -> None:
        """Take the room that may have come: called after every change of the fleet."""
        ...

    def give_up(self) -> None:
        """Answer who waits: no worker starts."""
        ...


class Fleet:
    """The workers of one release; at most `scaling.max` processes at any time."""

    def __init__(
        self,
        settings: PoolSettings,
        starter: Starter,
        demand: Demand,
        *,
        log: Log,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._starter = starter
        self._demand = demand
        self._log = log
        self._clock = clock
        self._slots: dict[str, Slot] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake: asyncio.TimerHandle | None = None
        self._keeping = Keeping(settings.scaling, histogram=settings.histogram, hours=settings.hours)
        self._failures = 0
        self._start_after = 0.0
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()
        self.failure: StartFailed | None = None
        self.concurrency = max(1, settings.concurrency)

    @property
    def live(self) -> int:
        """How many workers are ready or starting."""
        return sum(slot.state != "stopping" for slot in self._slots.values())

    @property
    def starting(self) -> int:
        """How many workers are not ready yet."""
        return sum(slot.state == "starting" for slot in self._slots.values())

    @property
    def any_ready(self) -> bool:
        """Whether a worker is ready, though it may be busy."""
        return any(slot.state == "ready" for slot in self._slots.values())

    @property
    def any_free(self) -> bool:
        """Whether a worker takes a request now."""
        return any(slot.free for slot in self._slots.values())

    @property
    def blocked_s(self) -> float:
        """How long no worker will be started, because the last ones failed."""
        return max(0.0, self._start_after - self._clock())

    async def prepare(self) -> None:
        """Bring one worker up. Raises StartFailed with the handler's message."""
        slot = self._start_one()
        try:
            await slot.worker.started()
        finally:
            self.rescale()

    def take(self) -> Slot | None:
        """Return a place at the worker that does least, the most recently used one of these."""
        free = [slot for slot in self._slots.values() if slot.free]
        if not free:
            return None
        slot = min(free, key=lambda each: (each.in_flight, -(each.idle_since or 0.0)))
        slot.in_flight += 1
        slot.idle_since = None
        return slot

    def give_back(self, slot: Slot) -> None:
        """Give up a place that `take` returned."""
        slot.in_flight -= 1
        slot.fresh = False
        if slot.in_flight == 0:
            slot.idle_since = self._clock()
        self._demand.serve()
        self.rescale()

    def worked(self) -> None:
        """Take into account that a worker has answered: what starts next starts without back-off."""
        self._failures = 0

    def kill(self, slot: Slot) -> None:
        """End a worker that is of no use any more."""
        slot.state = "stopping"
        slot.worker.kill()

    def stop(self, slot: Slot, why: str, limit_s: float = STOP_S) -> None:
        """Have a worker finish what it does, for `limit_s` at most."""
        self._log("info", "worker-stop", f"stopping a worker: {why}", worker=slot.worker.id)
        slot.state = "stopping"
        slot.worker.drain()
        slot.kill_timer = asyncio.get_running_loop().call_later(limit_s, slot.worker.kill)

    def rescale(self) -> None:
        """Do what the policy says now, and come back when it says."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        now = self._clock()
        load = self._load(now)
        scaling, until = self._keeping.now(min(needed(load), self._settings.scaling.max), now)
        if self._draining:
            scaling, until = replace(scaling, min=0, warm=0, idle_s=0.0), inf
        decision = decide(scaling, load)
        for _ in range(decision.start):
            self._start_one()
        for worker_id in decision.stop:
            self.stop(self._slots[worker_id], "it is idle")
        wake_at = min(until, inf if decision.wake_at is None else decision.wake_at)
        if wake_at < inf:
            self._wake = asyncio.get_running_loop().call_later(max(0.0, wake_at - now), self.rescale)
        if self._slots or self._demand.waiting:
            self._empty.clear()
        else:
            self._empty.set()
        self._demand.serve()

    def _load(self, now: float) -> Load:
        workers = [
            WorkerLoad(id=key, state=slot.state, in_flight=slot.in_flight, idle_since=slot.idle_since)
            for key, slot in self._slots.items()
        ]
        return Load(
            now=now,
            workers=workers,
            waiting=self._demand.waiting,
            concurrency=self.concurrency,
            start_after=self._start_after,
        )

    def _start_one(self) -> Slot:
        slot = Slot(self._starter.start())
        self._slots[slot.worker.id] = slot
        self._empty.clear()
        self._log(
            "info", "worker-start", "starting a worker", worker=slot.worker.id, release=self._settings.release
        )
        task = asyncio.create_task(self._watch(slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return slot

    async def _watch(self, slot: Slot) -> None:
        """Follow one worker from its start to its end."""
        began = self._clock()
        try:
            ready = await slot.worker.started()
        except StartFailed as failure:
            self._start_failed(slot, failure)
        else:
            self._became_ready(slot, ready.concurrency, ready.phases, began)
            how = await slot.worker.ended()
            self._ended(slot, how)
        await slot.worker.ended()
        if slot.kill_timer is not None:
            slot.kill_timer.cancel()
        self._slots.pop(slot.worker.id, None)
        self.rescale()

    def _became_ready(
        self, slot: Slot, concurrency: int, phases: tuple[tuple[str, float], ...], began: float
    ) -> None:
        now = self._clock()
        self.failure = None
        slot.concurrency = self.concurrency = max(1, concurrency)
        slot.phases = phases
        slot.idle_since = now
        self._log(
            "info",
            "worker-ready",
            f"ready after {(now - began) * 1000:.0f} ms",
            worker=slot.worker.id,
            pid=slot.worker.pid,
            phases=[{"name": name, "ms": ms} for name, ms in phases],
        )
        if slot.state == "starting":
            slot.state = "ready"
        self._demand.serve()  # before the policy looks, or it would start workers for who has one
        self.rescale()

    def _start_failed(self, slot: Slot, failure: StartFailed) -> None:
        self.kill(slot)
        self.failure = failure
        self._back_off()
        self._log(
            "error",
            "worker-failed",
            failure.message,
            worker=slot.worker.id,
            phase=failure.phase,
            traceback=failure.traceback or None,
        )
        if self.live == 0:
            self._demand.give_up()

    def _ended(self, slot: Slot, how: str) -> None:
        if slot.kill_timer is not None:
            self._log("info", "worker-stopped", f"a worker stopped: {how}", worker=slot.worker.id)
            return
        slot.state = "stopping"
        self._back_off()
        self._log(
            "error",
            "worker-crash",
            f"a worker ended by itself: {how}",
            worker=slot.worker.id,
            in_flight=slot.in_flight,
        )

    def _back_off(self) -> None:
        self._failures += 1
        self._start_after = self._clock() + backoff_s(self._failures)

    async def drain(self, limit_s: float) -> None:
        """Return when nothing waits and every worker has ended; kill what is left after `limit_s`."""
        self._draining = True
        if not self._demand.waiting:
            for slot in self._slots.values():
                if slot.state == "starting":
                    slot.worker.kill()
        self.rescale()
        try:
            async with asyncio.timeout(limit_s):
                await self._empty.wait()
        except TimeoutError:
            for slot in self._slots.values():
                slot.worker.kill()
            await self._empty.wait()
        if self._wake is not None:
            self._wake.cancel()
        await self._starter.close()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return what each worker does now, for `preheat status`."""
        return [
            {
                "id": slot.worker.id,
                "pid": slot.worker.pid,
                "release": self._settings.release,
                "state": slot.state,
                "in_flight": slot.in_flight,
            }
            for slot in self._slots.values()
        ]

"""The workers of one release, as an engine: requests in, answers out, workers started and stopped beneath.

Every request is answered exactly once. It waits in a bounded queue while no worker has room;
`scaling.decide` says how many workers that takes. Touches processes through a Starter only.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from preheat.errors import DeadlineExceeded, Overloaded, RequestError, Unavailable, WorkerDied
from preheat.interface.message import MODEL_MS_HEADER, QUEUE_MS_HEADER, START_HEADER, Request, Response
from preheat.interface.problem import problem_response
from preheat_providers.local.supervisor.logs import Log
from preheat_providers.local.supervisor.scaling import Load, WorkerLoad, backoff_s, decide
from preheat_providers.local.supervisor.slots import PoolSettings, Slot, Starter, Ticket
from preheat_providers.local.supervisor.statistics import Rate, Statistics
from preheat_providers.local.supervisor.worker import NotReached, StartFailed

GRACE_S = 2.0
"""How much longer than its deadline a worker may take before it counts as stuck: it answers 504 itself."""
STOP_S = 10.0


class Pool:
    """The workers of one release behind a bounded queue. Implements Engine."""

    def __init__(
        self,
        settings: PoolSettings,
        starter: Starter,
        *,
        statistics: Statistics,
        log: Log,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.settings = settings
        self._starter = starter
        self._statistics = statistics
        self._log = log
        self._clock = clock or asyncio.get_running_loop().time
        self._rate = Rate()
        self._slots: dict[str, Slot] = {}
        self._waiting: deque[Ticket] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake: asyncio.TimerHandle | None = None
        self._failures = 0
        self._start_after = 0.0
        self._broken: StartFailed | None = None
        self._concurrency = max(1, settings.concurrency)
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken: also from zero, unless the last start failed."""
        return not self._draining and (
            self._broken is None or any(s.state == "ready" for s in self._slots.values())
        )

    @property
    def live(self) -> int:
        """How many workers are ready or starting."""
        return sum(slot.state != "stopping" for slot in self._slots.values())

    @property
    def failure(self) -> StartFailed | None:
        """Why the last start failed, until one succeeds."""
        return self._broken

    def open(self) -> None:
        """Start what `min` and `warm` ask for."""
        self._rescale()

    async def prepare(self) -> None:
        """Bring one worker up before the traffic comes. Raises StartFailed with the handler's message."""
        slot = self._start_one()
        try:
            await slot.worker.started()
        finally:
            self._rescale()

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        began = self._clock()
        ticket = Ticket()
        try:
            response = await self._answer(request, ticket, began)
        except RequestError as error:
            response = problem_response(error, request_id=request.id)
        ms = (self._clock() - began) * 1000
        self._statistics.record(ms=ms, cold=ticket.cold, status=response.status)
        if response.status >= 500:
            self._log(
                "error",
                "request",
                f"answered {response.status}",
                request_id=request.id,
                release=self.settings.release,
                status=response.status,
                ms=round(ms, 1),
            )
        headers = {
            **response.headers,
            START_HEADER: "cold" if ticket.cold else "warm",
            "x-preheat-release": str(self.settings.release),
        }
        return replace(response, headers=headers)

    async def _answer(self, request: Request, ticket: Ticket, began: float) -> Response:
        timeout_s = min(request.timeout_s or self.settings.timeout_s, self.settings.timeout_s)
        self._admit()
        ticket.cold = not any(slot.state == "ready" for slot in self._slots.values())
        while True:
            slot = await self._place(ticket, timeout_s, began)
            waited = 0.0 if ticket.cold else self._clock() - began
            left_s = max(0.001, timeout_s - waited)
            try:
                response = await slot.worker.exchange(
                    replace(request, timeout_s=left_s),
                    limit_s=left_s + GRACE_S,
                    release=partial(self._release, slot),
                )
            except NotReached:
                slot.state = "stopping"
                slot.worker.kill()
                self._release(slot)
                ticket.place = asyncio.get_running_loop().create_future()
                continue
            except WorkerDied:
                slot.state = "stopping"
                slot.worker.kill()
                how = await self._how_it_ended(slot)
                raise WorkerDied(
                    f"The process that answered this request ended before the answer: {how}."
                ) from None
            if response.status == DeadlineExceeded.status and slot.state == "ready":
                # Its predict may still run, and would keep the next request waiting or be killed under it.
                self._stop_one(slot, "a request outlasted its time", self.settings.timeout_s + GRACE_S)
            self._failures = 0
            self._rate.answered(self._clock())
            return replace(response, headers=self._timings(response, began))

    def _timings(self, response: Response, began: float) -> dict[str, str]:
        total_ms = (self._clock() - began) * 1000
        queue_ms = max(0.0, total_ms - response.model_ms) if response.model_ms else response.queue_ms
        return {
            **response.headers,
            QUEUE_MS_HEADER: f"{queue_ms:.3f}",
            MODEL_MS_HEADER: f"{response.model_ms:.3f}",
        }

    async def _how_it_ended(self, slot: Slot) -> str:
        try:
            async with asyncio.timeout(GRACE_S):
                return await slot.worker.ended()
        except TimeoutError:
            return "it closed the connection"

    def _admit(self) -> None:
        now = self._clock()
        if self._draining:
            raise Unavailable("This release is being replaced.", retry_after_s=1.0)
        if self._broken is not None and self.live == 0 and now < self._start_after:
            raise self._no_worker()
        if len(self._waiting) >= self._room and not any(slot.free for slot in self._slots.values()):
            raise Overloaded(
                f"{len(self._waiting)} requests wait already.",
                retry_after_s=self._rate.seconds_for(len(self._waiting), now),
            )

    @property
    def _room(self) -> int:
        """How many requests may wait: the queue, and those that workers about to be ready will take."""
        starting = sum(slot.state == "starting" for slot in self._slots.values())
        return max(1, self.settings.scaling.queue + starting * self._concurrency)

    def _no_worker(self) -> Unavailable:
        phase = self._broken.phase if self._broken else "start"
        name = self.settings.function.partition("@")[0]
        return Unavailable(
            f"The handler failed in {phase}; see: preheat logs {name}",
            retry_after_s=max(1.0, self._start_after - self._clock()),
        )

    async def _place(self, ticket: Ticket, timeout_s: float, began: float) -> Slot:
        """Return a slot with room, taken for this ticket; a start may take `setup_s` on top."""
        self._waiting.append(ticket)
        self._dispatch()
        self._rescale()
        limit_s = timeout_s + (self.settings.setup_s if ticket.cold else 0.0) - (self._clock() - began)
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.shield(ticket.place)
        except TimeoutError as exc:
            self._leave(ticket)
            raise DeadlineExceeded(f"No worker was free within {timeout_s:g} s.") from exc
        except asyncio.CancelledError:
            self._leave(ticket)
            raise

    def _leave(self, ticket: Ticket) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        elif ticket.place.done() and not ticket.place.cancelled() and ticket.place.exception() is None:
            self._release(ticket.place.result())
        ticket.place.cancel()
        self._rescale()

    def _dispatch(self) -> None:
        """Give waiting requests to the worker that does least, the most recently used one of these."""
        while self._waiting:
            free = [slot for slot in self._slots.values() if slot.free]
            if not free:
                return
            slot = min(free, key=lambda each: (each.in_flight, -(each.idle_since or 0.0)))
            slot.in_flight += 1
            slot.idle_since = None
            self._waiting.popleft().place.set_result(slot)

    def _release(self, slot: Slot) -> None:
        slot.in_flight -= 1
        if slot.in_flight == 0:
            slot.idle_since = self._clock()
        self._dispatch()
        self._rescale()

    def _rescale(self) -> None:
        """Do what the policy says now, and come back when it says."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        now = self._clock()
        scaling = self.settings.scaling
        if self._draining:
            scaling = replace(scaling, min=0, warm=0, idle_s=0.0)
        loads = [
            WorkerLoad(id=key, state=slot.state, in_flight=slot.in_flight, idle_since=slot.idle_since)
            for key, slot in self._slots.items()
        ]
        load = Load(
            now=now,
            workers=loads,
            waiting=len(self._waiting),
            concurrency=self._concurrency,
            start_after=self._start_after,
        )
        decision = decide(scaling, load)
        for _ in range(decision.start):
            self._start_one()
        for worker_id in decision.stop:
            self._stop_one(self._slots[worker_id], "it is idle", STOP_S)
        if decision.wake_at is not None:
            self._wake = asyncio.get_running_loop().call_later(
                max(0.0, decision.wake_at - now), self._rescale
            )
        if self._slots or self._waiting:
            self._empty.clear()
        else:
            self._empty.set()

    def _start_one(self) -> Slot:
        slot = Slot(self._starter.start())
        self._slots[slot.worker.id] = slot
        self._empty.clear()
        self._log(
            "info", "worker-start", "starting a worker", worker=slot.worker.id, release=self.settings.release
        )
        task = asyncio.create_task(self._watch(slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return slot

    def _stop_one(self, slot: Slot, why: str, limit_s: float) -> None:
        self._log("info", "worker-stop", f"stopping a worker: {why}", worker=slot.worker.id)
        slot.state = "stopping"
        slot.worker.drain()
        slot.kill_timer = asyncio.get_running_loop().call_later(limit_s, slot.worker.kill)

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
        self._rescale()

    def _became_ready(
        self, slot: Slot, concurrency: int, phases: tuple[tuple[str, float], ...], began: float
    ) -> None:
        now = self._clock()
        self._broken = None
        slot.concurrency = self._concurrency = max(1, concurrency)
        slot.phases = phases
        slot.idle_since = slot.ready_at = now
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
        self._dispatch()
        self._rescale()

    def _start_failed(self, slot: Slot, failure: StartFailed) -> None:
        slot.state = "stopping"
        slot.worker.kill()
        self._broken = failure
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
            self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        while self._waiting:
            self._waiting.popleft().place.set_exception(self._no_worker())

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

    async def drain(self, limit_s: float | None = None) -> None:
        """Take nothing new, answer what was taken, end every worker; kill what is left after `limit_s`."""
        self._draining = True
        if not self._waiting:
            for slot in self._slots.values():
                if slot.state == "starting":
                    slot.worker.kill()
        self._rescale()
        limit_s = (
            limit_s if limit_s is not None else self.settings.timeout_s + self.settings.setup_s + GRACE_S
        )
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
                "release": self.settings.release,
                "state": slot.state,
                "in_flight": slot.in_flight,
            }
            for slot in self._slots.values()
        ]

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return len(self._waiting)

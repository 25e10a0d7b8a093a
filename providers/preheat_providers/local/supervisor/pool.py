"""The requests of one release: a bounded queue in front of its workers, as an engine.

Every request is answered exactly once. It waits while no worker has room; one that finds no place, or
would only wait to be late, is refused at once. The workers are the fleet's.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from preheat.errors import DeadlineExceeded, RequestError, Unavailable, WorkerDied
from preheat.interface.message import (
    BATCH_SIZE_HEADER,
    MODEL_MS_HEADER,
    QUEUE_MS_HEADER,
    RELEASE_HEADER,
    START_HEADER,
    Request,
    Response,
)
from preheat.interface.problem import problem_response
from preheat.runtime.admission import Admission
from preheat_providers.local.supervisor.fleet import Fleet
from preheat_providers.local.supervisor.logs import Log
from preheat_providers.local.supervisor.slots import PoolSettings, Slot, Starter, Ticket
from preheat_providers.local.supervisor.worker import NotReached, StartFailed

GRACE_S = 2.0
"""How much longer than its deadline a worker may take before it counts as stuck: it answers 504 itself."""


class Pool:
    """The workers of one release behind a bounded queue. Implements Engine, and Demand for its fleet."""

    def __init__(
        self,
        settings: PoolSettings,
        starter: Starter,
        *,
        log: Log,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.settings = settings
        self._log = log
        self._clock = clock or asyncio.get_running_loop().time
        self._admission = Admission(self._clock)
        self._waiting: deque[Ticket] = deque()
        self._draining = False
        self._fleet = Fleet(settings, starter, self, log=log, clock=self._clock)

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken: also from zero, unless the last start failed."""
        return not self._draining and (self._fleet.failure is None or self._fleet.any_ready)

    @property
    def live(self) -> int:
        """How many workers are ready or starting."""
        return self._fleet.live

    @property
    def failure(self) -> StartFailed | None:
        """Why the last start failed, until one succeeds."""
        return self._fleet.failure

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return len(self._waiting)

    def open(self) -> None:
        """Start what `min` and `warm` ask for."""
        self._fleet.rescale()

    async def prepare(self) -> None:
        """Bring one worker up before the traffic comes. Raises StartFailed with the handler's message."""
        await self._fleet.prepare()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return what each worker does now, for `preheat status`."""
        return self._fleet.snapshot()

    async def drain(self, limit_s: float | None = None) -> None:
        """Take nothing new, answer what was taken, end every worker; kill what is left after `limit_s`."""
        self._draining = True
        longest_s = self.settings.timeout_s + self.settings.setup_s + GRACE_S
        await self._fleet.drain(longest_s if limit_s is None else limit_s)

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        began = self._clock()
        ticket = Ticket()
        try:
            response = await self._answer(request, ticket, began)
        except RequestError as error:
            response = problem_response(error, request_id=request.id)
        if response.status >= 500:
            self._log(
                "error",
                "request",
                f"answered {response.status}",
                request_id=request.id,
                release=self.settings.release,
                status=response.status,
                ms=round((self._clock() - began) * 1000, 1),
            )
        headers = {
            **response.headers,
            START_HEADER: "cold" if ticket.cold else "warm",
            RELEASE_HEADER: str(self.settings.release),
        }
        return replace(response, headers=headers)

    async def _answer(self, request: Request, ticket: Ticket, began: float) -> Response:
        timeout_s = min(request.timeout_s or self.settings.timeout_s, self.settings.timeout_s)
        self._admit(timeout_s)
        ticket.cold = not self._fleet.any_ready
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
                self._fleet.kill(slot)
                self._fleet.give_back(slot)
                ticket.place = asyncio.get_running_loop().create_future()
                continue
            except WorkerDied:
                self._fleet.kill(slot)
                how = await _how_it_ended(slot)
                raise WorkerDied(
                    f"The process that answered this request ended before the answer: {how}."
                ) from None
            if response.status == DeadlineExceeded.status and slot.state == "ready":
                # Its predict may still run, and would keep the next request waiting or be killed under it.
                limit_s = self.settings.timeout_s + GRACE_S
                self._fleet.stop(slot, "a request outlasted its time", limit_s)
            self._fleet.worked()
            return self._timed(response, began)

    def _timed(self, response: Response, began: float) -> Response:
        """Return the answer with its wait counted from here, not from the worker, and said in its headers."""
        total_ms = (self._clock() - began) * 1000
        queue_ms = max(0.0, total_ms - response.model_ms) if response.model_ms else response.queue_ms
        headers = {
            **response.headers,
            QUEUE_MS_HEADER: f"{queue_ms:.3f}",
            MODEL_MS_HEADER: f"{response.model_ms:.3f}",
        }
        if response.batch_size:
            headers[BATCH_SIZE_HEADER] = str(response.batch_size)
        return replace(response, headers=headers, queue_ms=queue_ms)

    def _admit(self, timeout_s: float) -> None:
        fleet = self._fleet
        if self._draining:
            raise Unavailable("This release is being replaced.", retry_after_s=1.0)
        if fleet.failure is not None and fleet.live == 0 and fleet.blocked_s > 0:
            raise self._no_worker()
        if fleet.any_free:
            return
        # Workers about to be ready will take some, and until they are nobody knows how long a wait is.
        room = max(1, self.settings.scaling.queue + fleet.starting * fleet.concurrency)
        limit_s = timeout_s if self._steady else math.inf
        self._admission.check(ahead=self.waiting, room=room, timeout_s=limit_s)

    @property
    def _steady(self) -> bool:
        return self._fleet.any_ready and not self._fleet.starting

    def _no_worker(self) -> Unavailable:
        failure = self._fleet.failure
        name = self.settings.function.partition("@")[0]
        return Unavailable(
            f"The handler failed in {failure.phase if failure else 'start'}; see: preheat logs {name}",
            retry_after_s=max(1.0, self._fleet.blocked_s),
        )

    async def _place(self, ticket: Ticket, timeout_s: float, began: float) -> Slot:
        """Return a slot with room, taken for this ticket; a start may take `setup_s` on top."""
        self._waiting.append(ticket)
        self.serve()
        ticket.waited = not ticket.place.done()
        self._fleet.rescale()
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
            self._fleet.give_back(ticket.place.result())
        ticket.place.cancel()
        self._fleet.rescale()

    def _release(self, slot: Slot) -> None:
        self._admission.throughput.answered()
        self._fleet.give_back(slot)

    def serve(self) -> None:
        """Give waiting requests the room there is, the oldest first; note whether some still wait."""
        while self._waiting and (slot := self._fleet.take()) is not None:
            ticket = self._waiting.popleft()
            ticket.cold = ticket.cold or (ticket.waited and slot.fresh)
            ticket.place.set_result(slot)
        self._admission.throughput.pressed(self.waiting > 0 and self._steady)

    def give_up(self) -> None:
        """Tell all who wait that no worker starts."""
        while self._waiting:
            self._waiting.popleft().place.set_exception(self._no_worker())


async def _how_it_ended(slot: Slot) -> str:
    try:
        async with asyncio.timeout(GRACE_S):
            return await slot.worker.ended()
    except TimeoutError:
        return "it closed the connection"

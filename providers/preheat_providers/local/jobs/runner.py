"""Takes due rows, asks the function's engine, records the answers. Sleeps until something is due."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from preheat.errors import Conflicting, HandlerFailed, Overloaded, RequestError, Unavailable
from preheat.interface.message import Engine, Response
from preheat.interface.problem import problem_response
from preheat_providers.local.jobs.alarm import Alarm
from preheat_providers.local.jobs.courier import Courier
from preheat_providers.local.jobs.delivery import Deliveries, Superseded
from preheat_providers.local.jobs.model import Claim, Clock, Finished, Kind, Lane, Log, quiet
from preheat_providers.local.jobs.retry import Retry, verdict
from preheat_providers.local.jobs.store import JobStore

STORE_RETRY_S = 1.0
"""How soon a store that could not be written (a full disk) is tried again."""

LONGEST_RETRY_AFTER_S = 300.0

EngineOf = Callable[[str], Engine | None]


class JobRunner:
    """One runner a store. `engine_of` returns None while one cannot run: its rows then wait for `wake`.

    Each function has `per_function` places, so that none waits for another; within a function,
    jobs and deliveries take turns.
    """

    def __init__(
        self,
        store: JobStore,
        engine_of: EngineOf,
        *,
        clock: Clock = time.time,
        log: Log = quiet,
        retry: Retry | None = None,
        rng: Callable[[], float] = random.random,
        per_function: int = 8,
        courier: Courier | None = None,
    ) -> None:
        self._store = store
        self._engine_of = engine_of
        self._clock = clock
        self._log = log
        self._retry = Retry() if retry is None else retry
        self._rng = rng
        self._per_function = per_function
        self.courier = Courier(store, clock=clock, log=log) if courier is None else courier
        self._deliveries: dict[str, Deliveries] = {}
        self._running: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._first: dict[str, Kind] = {}
        self._alarm = Alarm(clock)
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Put back what an earlier process left running, then begin."""
        self._stopping = False
        requeued = await self._store.recover()
        if requeued:
            self._log("jobs-recovered", jobs=requeued)
        await self.courier.start()
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Take no more and end what runs; `start` puts it back into the queue, as after a kill."""
        self._stopping = True
        self._alarm.wake()
        if self._loop is not None:
            await self._loop
            self._loop = None
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.courier.stop()

    def wake(self) -> None:
        """Look at the queue now: something was queued, or an engine became available."""
        self._alarm.wake()

    def interrupt(self, job_id: str) -> None:
        """Stop the attempt at a job, if one runs."""
        if job_id in self._running:
            self._running[job_id][1].cancel()

    async def forget(self, function: str) -> int:
        """Stop the function's attempts and remove its rows; return how many rows there were."""
        tasks = [task for owner, task in self._running.values() if owner == function]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return await self._store.forget(function)

    def register(self, function: str, deliveries: Deliveries) -> None:
        """Run the function's deliveries from now on."""
        self._deliveries[function] = deliveries
        self.wake()

    def unregister(self, function: str) -> None:
        """Leave the function's deliveries in the queue."""
        self._deliveries.pop(function, None)

    async def _run(self) -> None:
        while not self._stopping:
            try:
                due = await self._round()
            except Unavailable as error:
                self._log("jobs-store-unavailable", reason=error.message)
                due = self._clock() + STORE_RETRY_S
            if not self._stopping:
                await self._alarm.until(due)

    async def _round(self) -> float | None:
        """Start what is due and has a place; return when to look again."""
        dues = [await self._store.purge()]
        for function in sorted({lane.function for lane in await self._lanes() if lane.due <= self._clock()}):
            await self._start(function)
        dues += [lane.due for lane in await self._lanes()]
        return min((due for due in dues if due is not None), default=None)

    async def _lanes(self) -> list[Lane]:
        """Return what waits and could start if it were due."""
        return [
            lane
            for lane in await self._store.lanes()
            if lane.kind in self._kinds(lane.function)
            and self._free(lane.function) > 0
            and self._engine_of(lane.function) is not None
        ]

    def _kinds(self, function: str) -> tuple[Kind, ...]:
        if function not in self._deliveries:
            return ("job",)
        return ("delivery", "job") if self._first.get(function) == "delivery" else ("job", "delivery")

    def _free(self, function: str) -> int:
        return self._per_function - sum(1 for owner, _ in self._running.values() if owner == function)

    async def _start(self, function: str) -> None:
        claims = await self._store.claim(function, self._kinds(function), self._free(function))
        for claim in claims:
            task = asyncio.create_task(self._attempt(claim))
            self._running[claim.id] = (function, task)
            task.add_done_callback(partial(self._ended, claim.id))
        if claims:
            self._first[function] = "delivery" if claims[-1].kind == "job" else "job"

    def _ended(self, job_id: str, task: asyncio.Task[None]) -> None:
        _, latest = self._running.get(job_id, (None, None))
        if latest is task:  # or its row was put back and claimed again before the loop came here
            del self._running[job_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log("job-lost-its-attempt", job=job_id, reason=repr(error))
        self.wake()

    async def _attempt(self, claim: Claim) -> None:
        status, response = await self._answer(claim)
        await self._record(claim, status, response)

    async def _answer(self, claim: Claim) -> tuple[Finished | None, Response]:
        """Run one attempt; None as the status says that it is to be tried again."""
        deliveries = self._deliveries.get(claim.function) if claim.kind == "delivery" else None
        try:
            response = await self._invoke(claim, deliveries)
            if deliveries is not None and verdict(response.status) == "succeeded":
                await deliveries.succeeded(claim, response)
        except Superseded as reason:
            return "cancelled", problem_response(Conflicting(str(reason)), request_id=claim.id)
        except RequestError as error:
            response = problem_response(error, request_id=claim.id)
        except Exception as error:  # noqa: BLE001 - one request: whatever broke, its row must be answered
            self._log("job-broke", function=claim.function, job=claim.id, error=repr(error))
            response = problem_response(HandlerFailed("The request could not be run."), request_id=claim.id)
        match verdict(response.status):
            case "succeeded":
                return "succeeded", response
            case "again" if claim.failures + 1 < claim.max_attempts:
                return None, response
            case "busy":
                return None, response
            case _:
                return "failed", response

    async def _invoke(self, claim: Claim, deliveries: Deliveries | None) -> Response:
        engine = self._engine_of(claim.function)
        if engine is None or (claim.kind == "delivery" and deliveries is None):
            raise Overloaded("The function is being replaced.", retry_after_s=STORE_RETRY_S)
        request = claim.request if deliveries is None else await deliveries.request(claim)
        response = await engine.invoke(request)
        if response.chunks is None:
            return response
        return replace(response, chunks=None, body=b"".join([chunk async for chunk in response.chunks]))

    async def _record(self, claim: Claim, status: Finished | None, response: Response) -> None:
        """Record the attempt's end; while the disk refuses, the answer is kept here and tried again."""
        while True:
            try:
                if status is None:
                    await self._again(claim, response)
                else:
                    await self._finish(claim, status, response)
            except (Unavailable, OSError) as error:
                self._log("job-not-recorded", function=claim.function, job=claim.id, reason=str(error))
                await asyncio.sleep(STORE_RETRY_S)
            else:
                return

    async def _again(self, claim: Claim, response: Response) -> None:
        busy = verdict(response.status) == "busy"
        delay_s = self._retry.delay_s(1 if busy else claim.failures + 1, self._rng)
        delay_s = max(delay_s, _retry_after_s(response))
        self._log(
            "job-retry",
            function=claim.function,
            job=claim.id,
            attempt=claim.attempt,
            status=response.status,
            delay_s=round(delay_s, 3),
            reason=_detail(response),
        )
        await self._store.put_back(claim, not_before=self._clock() + delay_s, failed=not busy)

    async def _finish(self, claim: Claim, status: Finished, response: Response) -> None:
        deliveries = self._deliveries.get(claim.function)
        if status == "failed" and claim.kind == "delivery":
            if deliveries is None:
                await self._store.put_back(claim, not_before=self._clock(), failed=False)
                return
            await deliveries.failed(claim, _problem(response))
        # A delivery's answer is at its sink; a failure's reason, or an answer without a sink, stays here.
        kept = replace(response, body=b"") if status == "succeeded" and claim.sink is not None else response
        if await self._store.finish(claim, status, kept):
            self._log(
                f"{claim.kind}-{status}",
                function=claim.function,
                job=claim.id,
                attempt=claim.attempt,
                status=response.status,
                seconds=round(self._clock() - claim.created, 3),
                **({} if status == "succeeded" else {"reason": _detail(response)}),
            )
            self.courier.wake()


def _retry_after_s(response: Response) -> float:
    given = response.headers.get("retry-after", "")
    return min(float(given), LONGEST_RETRY_AFTER_S) if given.isascii() and given.isdigit() else 0.0


def _problem(response: Response) -> dict[str, object]:
    try:
        document = json.loads(response.body)
    except ValueError:
        document = None
    return (
        document
        if isinstance(document, dict)
        else {"status": response.status, "detail": "no reason was given"}
    )


def _detail(response: Response) -> str:
    return str(_problem(response).get("detail", response.status))

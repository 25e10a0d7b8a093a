"""Runs queued values through one model, a batch at a time, as the batching policy says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from preheat.runtime.attempts import Raised
from preheat.runtime.batching import BatchPolicy
from preheat.runtime.calls import Deadlines


@dataclass(slots=True)
class Outcome:
    """What one value became (or Raised), how long it queued, how long its call took, with how many others."""

    value: Any
    queue_ms: float
    model_ms: float
    batch_size: int = 1


@dataclass(eq=False, slots=True)
class Entry:
    """One queued value; `batch` is the call that it runs in."""

    value: Any
    queued: float
    future: asyncio.Future[Outcome]
    batch: asyncio.Future[Sequence[Any]] | None = None


RunBatch = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Gives as many outcomes as values, in order; a Raised stands for a failure."""


class Dispatcher:
    """Queues values and answers each exactly once. Does nothing while there is no work."""

    def __init__(self, policy: BatchPolicy[Entry], run: RunBatch, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._run = run
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._deadlines = Deadlines()
        self._running = False
        self._soon = False
        self._waiting: asyncio.TimerHandle | None = None

    async def call(self, value: Any, deadline: float, size: float = 1.0) -> Outcome:
        """Run `value` with others. Raises TimeoutError at `deadline`, a time of the event loop.

        Cancelling takes the value out of the queue; once it runs, cancelling waits for the model
        to come back, so that whoever cancelled knows when the model is free.
        """
        entry = Entry(value, self._clock(), self._loop.create_future())
        self._policy.add(entry, size=size, deadline=deadline)
        if not self._running and not self._soon:
            self._begin_soon()
        self._deadlines.watch(entry.future, deadline)
        try:
            return await entry.future
        except asyncio.CancelledError:
            if entry.batch is not None:
                await asyncio.wait({entry.batch})
            raise
        finally:
            self._deadlines.forget(entry.future)
            if entry.batch is None:
                self._policy.remove(entry)

    def _begin_soon(self) -> None:
        # Not at once: whatever else arrives in the same turn of the loop belongs into the same batch.
        self._soon = True
        if self._waiting is not None:
            self._waiting.cancel()
        self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._soon = False
        wait_s = self._policy.wait_s()
        if wait_s is None:
            return
        if wait_s > 0:
            self._waiting = self._loop.call_later(wait_s, self._begin)
            return
        batch = self._policy.take()
        started = self._clock()
        running = asyncio.ensure_future(self._run([entry.value for entry in batch]))
        for entry in batch:
            entry.batch = running
        self._running = True
        running.add_done_callback(lambda done: self._end(batch, started, done))

    def _end(self, batch: list[Entry], started: float, done: asyncio.Future[Sequence[Any]]) -> None:
        self._running = False
        model_s = self._clock() - started
        self._policy.done(len(batch), model_s)
        for entry, value in zip(batch, _outcomes(done, len(batch)), strict=True):
            if not entry.future.done():
                queue_ms = (started - entry.queued) * 1000
                entry.future.set_result(Outcome(value, queue_ms, model_s * 1000, len(batch)))
        if len(self._policy):
            self._begin()


def _outcomes(done: asyncio.Future[Sequence[Any]], size: int) -> Sequence[Any]:
    if done.cancelled():
        return [Raised(asyncio.CancelledError("the batch was cancelled"))] * size
    error = done.exception()
    return done.result() if error is None else [Raised(error)] * size

"""Runs queued values through one model, a batch at a time, as the batching policy says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from preheat.runtime.batching import BatchPolicy
from preheat.runtime.calls import Raised


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one value became (or Raised), how long it queued, and how long its batch took."""

    value: Any
    queue_ms: float
    model_ms: float


@dataclass(eq=False, slots=True)
class Entry:
    """One queued value."""

    value: Any
    queued: float
    future: asyncio.Future[Outcome]
    taken: bool = False


RunBatch = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Gives as many outcomes as values, in order; a Raised stands for a failure. Never raises."""


class Dispatcher:
    """Queues values and answers each exactly once. Its task lives only while there is work."""

    def __init__(self, policy: BatchPolicy[Entry], run: RunBatch, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._run = run
        self._clock = clock
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def call(self, value: Any, deadline: float) -> Outcome:
        """Run `value` with others. Raises TimeoutError at `deadline`, a time of the event loop.

        Cancelling takes the value out of the queue; once it runs, cancelling waits for the model
        to come back, so that whoever cancelled knows when the model is free.
        """
        loop = asyncio.get_running_loop()
        entry = Entry(value, self._clock(), loop.create_future())
        self._policy.add(entry)
        self._arrived.set()
        if self._task is None:
            self._task = loop.create_task(self._serve())
        try:
            done, _ = await asyncio.wait({entry.future}, timeout=deadline - loop.time())
        except asyncio.CancelledError:
            if entry.taken:
                await asyncio.wait({entry.future})
            raise
        finally:
            if not entry.taken:
                self._policy.remove(entry)
        if not done:
            raise TimeoutError
        return entry.future.result()

    async def _serve(self) -> None:
        try:
            while (wait_s := self._policy.wait_s()) is not None:
                if wait_s > 0:
                    self._arrived.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._arrived.wait(), wait_s)
                    continue
                await self._run_batch(self._policy.take())
        finally:
            self._task = None

    async def _run_batch(self, batch: list[Entry]) -> None:
        for entry in batch:
            entry.taken = True
        started = self._clock()
        outcomes = await self._run([entry.value for entry in batch])
        model_s = self._clock() - started
        self._policy.done(len(batch), model_s)
        for entry, outcome in zip(batch, outcomes, strict=True):
            entry.future.set_result(Outcome(outcome, (started - entry.queued) * 1000, model_s * 1000))


def batch_outcomes(answer: Any, size: int) -> Sequence[Any]:
    """Return the outcomes of a batch of `size` from what predict returned, or Raised for each of them.

    An exception instance in a place is the failure of that request alone.
    """
    if isinstance(answer, Raised):
        return [answer] * size
    if not isinstance(answer, list | tuple):
        wrong = TypeError(f"A batched predict returns a list; this one returned {type(answer).__name__}.")
        return [Raised(wrong)] * size
    if len(answer) != size:
        wrong_size = ValueError(f"predict returned {len(answer)} results for {size} inputs.")
        return [Raised(wrong_size)] * size
    return [Raised(result) if isinstance(result, Exception) else result for result in answer]

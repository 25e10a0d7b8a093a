"""The ways to call predict: in batches, one by one on the model's thread, or on the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from preheat.runtime.attempts import attempt, attempt_async, batch_outcomes
from preheat.runtime.batching import BatchPolicy
from preheat.runtime.called import of_called
from preheat.runtime.calls import Deadlines, ThreadCalls
from preheat.runtime.dispatch import Dispatcher, Outcome, RunBatch
from preheat.runtime.loader import Model
from preheat.runtime.propagation import handler_traces, in_trace
from preheat.runtime.sizes import size_of

Predict = Callable[[Any, float], Awaitable[Outcome]]
"""Takes a decoded input and a deadline, a time of the event loop. Raises TimeoutError at the deadline.

Cancelling it returns when the model is free of the input.
"""


def way_to_predict(model: Model, calls: ThreadCalls, clock: Callable[[], float]) -> Predict:
    """Return how the model's handler is called; one that may make spans gets each input as Traced.

    What it takes is an input, or a Called where the contract says so.
    """
    predict, batching, sizer = model.predict, model.contract.batching, None
    if batching:
        sizer = batching.size
        if model.contract.takes_call:
            sizer = sizer and of_called(sizer)
    if handler_traces():
        predict = in_trace(predict, batched=batching is not None, is_async=model.contract.is_async)
        sizer = sizer and _of_traced(sizer)
    if batching:
        run = _batch_on_loop(predict) if model.contract.is_async else _batch_on_thread(predict, calls)
        policy = BatchPolicy[Any](
            max_size=batching.max_size,
            max_wait_ms=batching.max_wait_ms,
            clock=clock,
            grouped=batching.size is not None,
        )
        dispatcher = Dispatcher(policy, run, clock)
        return dispatcher.call if sizer is None else _sized(dispatcher, sizer)
    if model.contract.is_async:
        return _one_on_loop(predict, clock)
    return _one_on_thread(predict, calls, clock)


def _sized(dispatcher: Dispatcher, size: Callable[[Any], float]) -> Predict:
    return lambda value, deadline: dispatcher.call(value, deadline, size_of(size, value))


def _of_traced(size: Callable[[Any], float]) -> Callable[[Any], float]:
    return lambda traced: size(traced.value)


def _batch_on_thread(predict: Callable[..., Any], calls: ThreadCalls) -> RunBatch:
    def batch(values: Sequence[Any]) -> Sequence[Any]:
        return batch_outcomes(attempt(predict, values), len(values))

    return lambda values: calls.call(batch, values)


def _batch_on_loop(predict: Callable[..., Any]) -> RunBatch:
    async def run(values: Sequence[Any]) -> Sequence[Any]:
        return batch_outcomes(await attempt_async(predict(values)), len(values))

    return run


def _one_on_loop(predict: Callable[..., Any], clock: Callable[[], float]) -> Predict:
    async def call(value: Any, deadline: float) -> Outcome:
        started = clock()
        async with asyncio.timeout_at(deadline):
            answer = await attempt_async(predict(value))
        return Outcome(answer, 0.0, (clock() - started) * 1000)

    return call


def _one_on_thread(predict: Callable[..., Any], calls: ThreadCalls, clock: Callable[[], float]) -> Predict:
    deadlines = Deadlines()

    async def call(value: Any, deadline: float) -> Outcome:
        outcome = calls.call(_One(predict, value, clock).run)
        deadlines.watch(outcome, deadline)
        try:
            answer: Outcome = await outcome
            return answer
        except asyncio.CancelledError:
            await calls.ended(outcome)  # nothing stops predict: wait until the model is free
            raise
        finally:
            deadlines.forget(outcome)

    return call


class _One:
    """One value on its way through one of the model's threads."""

    __slots__ = ("_clock", "_predict", "_queued", "_value")

    def __init__(self, predict: Callable[[Any], Any], value: Any, clock: Callable[[], float]) -> None:
        self._predict = predict
        self._value = value
        self._clock = clock
        self._queued = clock()

    def run(self) -> Outcome:
        started = self._clock()
        value = attempt(self._predict, self._value)
        return Outcome(value, (started - self._queued) * 1000, (self._clock() - started) * 1000)

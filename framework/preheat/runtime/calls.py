"""Calls from the event loop to the model's thread, and their results back."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from preheat.runtime.model_thread import ModelThread

T = TypeVar("T")


class ThreadCalls:
    """Calls from the running event loop to a model thread, in order.

    Results that are ready together come back in one wake-up of the loop: waking it costs more
    than a small model does. `on_stuck` is called when one call has run for `limit_s`, because
    nothing can stop a thread. `clock` must be one that both threads may read.
    """

    def __init__(
        self,
        thread: ModelThread,
        *,
        limit_s: float,
        on_stuck: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._thread = thread
        self._limit_s = limit_s
        self._on_stuck = on_stuck
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._finished: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._waking = False
        self._running_since: float | None = None
        self._watch: asyncio.TimerHandle | None = None

    def call(self, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Queue a call of `function`, which does not raise. Cancelling the future before it runs drops it."""
        future = self._loop.create_future()
        self._thread.post(lambda: self._run(future, function, args))
        if self._watch is None:
            self._watch = self._loop.call_later(self._limit_s, self._look)
        return future

    def _run(self, future: asyncio.Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if future.done():  # cancelled, or past its deadline
            return
        self._running_since = self._clock()
        result = function(*args)
        self._running_since = None
        self._finished.append((future, result))
        # The loop lowers the flag before it empties the queue, so nothing is left lying.
        if not self._waking:
            self._waking = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._waking = False
        while self._finished:
            future, result = self._finished.popleft()
            if not future.done():
                future.set_result(result)

    def _look(self) -> None:
        """Look whether the call that runs now is over its limit; sleep on until one can be."""
        since = self._running_since
        if since is None:
            self._watch = None
            return
        left_s = since + self._limit_s - self._clock()
        if left_s <= 0:
            self._on_stuck()
            left_s = self._limit_s
        self._watch = self._loop.call_later(left_s, self._look)


async def until(future: asyncio.Future[T], deadline: float) -> T:
    """Await `future`, which ends with TimeoutError at `deadline`, a time of the event loop."""
    timer = asyncio.get_running_loop().call_at(deadline, _expire, future)
    try:
        return await future
    finally:
        timer.cancel()


def _expire(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())

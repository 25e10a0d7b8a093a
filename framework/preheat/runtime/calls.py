"""Calls from the event loop to threads, and their results back."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Any, Protocol


class Threads(Protocol):
    """Threads that take calls: the model's, or those of the event loop."""

    def post(self, call: Callable[[], None]) -> None:
        """Queue a call that raises nothing and answers nobody."""
        ...


class LoopThreads:
    """The threads that the running event loop has for what would block it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def post(self, call: Callable[[], None]) -> None:
        """Queue a call."""
        self._loop.run_in_executor(None, call)


class ThreadCalls:
    """Calls from the running event loop to threads; they begin in order.

    Results that are ready together come back in one wake-up of the loop: waking it costs more
    than a small model does. `on_stuck` is called when one call has run for `limit_s`, because
    nothing can stop a thread. `clock` must be one that all threads may read.
    """

    def __init__(
        self,
        threads: Threads,
        *,
        limit_s: float,
        on_stuck: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threads = threads
        self._limit_s = limit_s
        self._on_stuck = on_stuck
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._finished: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._waking = False
        self._unfinished = 0
        self._running: dict[asyncio.Future[Any], float] = {}  # to when it began; each thread has its own key
        self._outlived: dict[asyncio.Future[Any], asyncio.Future[None]] = {}
        self._watch: asyncio.TimerHandle | None = None

    def call(self, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Queue a call of `function`, which does not raise. Cancelling the future before it runs drops it."""
        future = self._loop.create_future()
        self._threads.post(lambda: self._run(future, function, args))
        self._unfinished += 1
        if self._watch is None:
            self._watch = self._loop.call_later(self._limit_s, self._look)
        return future

    async def ended(self, future: asyncio.Future[Any]) -> None:
        """Return when the call of `future`, which is done with, is not running: nothing stops it."""
        if future in self._running:
            ended = self._outlived[future] = self._loop.create_future()
            await ended

    def _run(self, future: asyncio.Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._running[future] = self._clock()  # before the look: then `ended` misses no call that runs
        result = None if future.done() else function(*args)  # done: cancelled, or past its deadline
        del self._running[future]
        self._finished.append((future, result))
        # The loop lowers the flag before it empties the queue, so nothing is left lying.
        if not self._waking:
            self._waking = True
            with suppress(RuntimeError):  # the loop is closed: an earlier wake-up took the result
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._waking = False
        while self._finished:
            future, result = self._finished.popleft()
            self._unfinished -= 1
            if not future.done():
                future.set_result(result)
            elif (ended := self._outlived.pop(future, None)) is not None and not ended.done():
                ended.set_result(None)

    def _look(self) -> None:
        """Look whether a call that runs now is over its limit; sleep on until one can be."""
        if self._unfinished == 0:
            self._watch = None
            return
        left_s = self._limit_s  # where nothing runs, a call may be about to begin
        if running := self._running.copy():  # a copy, in one step: threads change it
            left_s = min(running.values()) + self._limit_s - self._clock()
            if left_s <= 0:
                self._on_stuck()
                left_s = self._limit_s
        self._watch = self._loop.call_later(left_s, self._look)


class Deadlines:
    """Ends futures with TimeoutError at their deadlines, times of the event loop, by one timer for all."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pending: dict[asyncio.Future[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = inf

    def watch(self, future: asyncio.Future[Any], deadline: float) -> None:
        """End `future` at `deadline`, unless it is done or forgotten by then."""
        self._pending[future] = deadline
        if deadline < self._looks_at:
            self._look_at(deadline)

    def forget(self, future: asyncio.Future[Any]) -> None:
        """Watch `future` no longer."""
        del self._pending[future]

    def _look_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = when
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._timer, self._looks_at = None, inf
        now = self._loop.time()
        for future, deadline in self._pending.items():
            if deadline <= now and not future.done():
                future.set_exception(TimeoutError())
        if left := [deadline for deadline in self._pending.values() if deadline > now]:
            self._look_at(min(left))

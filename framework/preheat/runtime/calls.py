"""Calling the user's code: on which thread, and how what it raises comes back."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Raised:
    """An exception as a value: SystemExit and StopIteration cannot travel through futures as exceptions."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class CallFailed(Exception):
    """The user's code raised `error`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


class ModelThread(Executor):
    """Runs calls one after another on the thread that enters `run`.

    The worker gives it the main thread, where setup ran too: libraries that tie their state to a
    thread (OpenMP pools, CUDA contexts, sqlite3) then see one thread only.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def post(self, call: Callable[[], None]) -> None:
        """Queue a call that raises nothing and answers nobody."""
        self._calls.put(call)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call."""
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:  # noqa: BLE001 - a future carries whatever was raised
                future.set_exception(exc)
            else:
                future.set_result(result)

        self.post(call)
        return future

    def run(self) -> None:
        """Run calls until `shutdown`; those queued before it still run."""
        while (call := self._calls.get()) is not None:
            call()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Let `run` return after the calls queued so far."""
        self._calls.put(None)


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


def attempt(function: Callable[..., Any], *args: Any) -> Any:
    """Call the user's `function`; return its result, or Raised."""
    try:
        return function(*args)
    except BaseException as exc:  # noqa: BLE001 - the boundary of one request: SystemExit is an answer too
        return Raised(exc)


async def attempt_async(awaitable: Awaitable[Any]) -> Any:
    """Await the user's `awaitable`; return its result, or Raised. Cancelling passes through."""
    try:
        return await awaitable
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return Raised(exc)  # the user's own, from a task that the handler cancelled
    except BaseException as exc:  # noqa: BLE001 - the boundary of one request: SystemExit is an answer too
        return Raised(exc)


def result_of(outcome: Any) -> Any:
    """Return `outcome`, or raise CallFailed for a Raised."""
    if isinstance(outcome, Raised):
        raise CallFailed(outcome.error)
    return outcome


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

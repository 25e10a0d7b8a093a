"""Calling the user's code: on which thread, and how what it raises comes back."""

import asyncio
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

        self._calls.put(call)
        return future

    def run(self) -> None:
        """Run calls until `shutdown`; those queued before it still run."""
        while (call := self._calls.get()) is not None:
            call()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Let `run` return after the calls queued so far."""
        self._calls.put(None)


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

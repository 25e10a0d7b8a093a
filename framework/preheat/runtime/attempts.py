"""Calling the user's code so that whatever it raises comes back as a value."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any


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


def attempt(function: Callable[..., Any], *args: Any) -> Any:
    """Call the user's `function`; return its result, or Raised."""
    try:
        return function(*args)
    except BaseException as exc:  # noqa: BLE001 - the boundary of one request: SystemExit is an answer too
        return Raised(exc)


async def attempt_async(awaitable: Awaitable[Any]) -> Any:
    """Await the user's `awaitable`; return its result, or Raised. Cancelling passes through."""
    import asyncio  # 20 ms of a start, which a handler without coroutines need not pay

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

"""`@preheat.threaded`: what a handler says of calls that overlap, and what may be wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, overload

Method = TypeVar("Method", bound=Callable[..., Any])

MOST_THREADS = 64


@dataclass(frozen=True, slots=True)
class Threads:
    """How many calls of predict may overlap, each on a thread of its own; None where nobody said."""

    count: int | None


@overload
def threaded(method: Method, /) -> Method: ...
@overload
def threaded(*, threads: int) -> Callable[[Method], Method]: ...
def threaded(method: Any = None, /, *, threads: int | None = None) -> Any:
    """Mark a predict that is safe to call from `threads` threads at once, each call with one input.

    It gains where predict waits or computes outside Python, as an onnxruntime session does.
    """

    def mark(method: Method) -> Method:
        method.__preheat_threads__ = Threads(threads)  # type: ignore[attr-defined]
        return method

    if method is not None and not callable(method):
        raise TypeError("@preheat.threaded takes its setting by name: @preheat.threaded(threads=4)")
    return mark if method is None else mark(method)


def threads_of(function: Callable[..., Any]) -> Threads | None:
    """Return what @preheat.threaded left on a predict."""
    return getattr(function, "__preheat_threads__", None)


def threads_mistakes(
    threads: Threads, *, is_async: bool, is_batched: bool, is_stream: bool
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, each with the line to paste."""
    remove, count = "Remove @preheat.threaded.", threads.count
    if type(count) is not int or not 2 <= count <= MOST_THREADS:
        yield (
            f"@preheat.threaded has threads={count!r}; it is an int from 2 to {MOST_THREADS}.",
            "@preheat.threaded(threads=4)",
        )
    if is_batched:
        yield (
            "predict is both batched and threaded: a batch is one call that answers all who wait, "
            "so that other threads would have nothing to do.",
            f"{remove} Or remove @preheat.batched, and take one input instead of a list.",
        )
    if is_stream:
        yield "A predict that yields cannot be threaded: the streams of one process take turns.", remove
    elif is_async:
        yield (
            "An async predict cannot be threaded: its calls overlap on the event loop, which has one thread.",
            remove,
        )

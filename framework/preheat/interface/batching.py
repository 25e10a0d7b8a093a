"""`@preheat.batched`: what a handler says of requests that run together, and what may be wrong with it."""

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, overload

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Batching:
    """How many requests one call of predict may take, and how long the first of them may wait for company.

    With `size`, which gives an input's size, a batch holds inputs of similar size. `rows` says that one
    input holds as many rows as its sender likes: several of them make no further axis.
    """

    max_size: int
    max_wait_ms: float
    size: Callable[[Any], float] | None = None
    rows: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as JSON values; a function does not travel."""
        return {
            "max_size": self.max_size,
            "max_wait_ms": self.max_wait_ms,
            "grouped": self.size is not None,
            "rows": self.rows,
        }


@overload
def batched(method: Method, /) -> Method: ...
@overload
def batched(
    *, max_size: int = 32, max_wait_ms: float = 5.0, size: Callable[[Any], float] | None = None
) -> Callable[[Method], Method]: ...
def batched(
    method: Any = None,
    /,
    *,
    max_size: int = 32,
    max_wait_ms: float = 5.0,
    size: Callable[[Any], float] | None = None,
) -> Any:
    """Mark a predict that takes a list of inputs and returns as many results, in the same order.

    Give `size` where a batch is padded to its largest input (tokens, pixels): similar inputs then
    run together. It is called once for each request, on the event loop, so it must be quick.
    """

    def mark(method: Method) -> Method:
        batching = Batching(max_size, max_wait_ms, size)
        method.__preheat_batching__ = batching  # type: ignore[attr-defined]
        return method

    if method is not None and not callable(method):
        raise TypeError("@preheat.batched takes its settings by name: @preheat.batched(max_size=32)")
    return mark if method is None else mark(method)


def batching_of(function: Callable[..., Any]) -> Batching | None:
    """Return what @preheat.batched left on a predict."""
    return getattr(function, "__preheat_batching__", None)


def batching_mistakes(batching: Batching) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, each with the line to paste."""
    if type(batching.max_size) is not int or batching.max_size < 1:
        yield (
            f"@preheat.batched has max_size={batching.max_size!r}; it is an int of at least 1.",
            "@preheat.batched(max_size=32)",
        )
    wait = batching.max_wait_ms
    if type(wait) not in (int, float) or not math.isfinite(wait) or wait < 0:
        yield (
            f"@preheat.batched has max_wait_ms={wait!r}; it is a number of milliseconds, at least 0.",
            "@preheat.batched(max_wait_ms=5)",
        )
    if batching.size is not None:
        yield from _size_mistakes(batching.size)


def _size_mistakes(size: Any) -> Iterator[tuple[str, str]]:
    fix = "@preheat.batched(size=lambda query: len(query.text))"
    if not callable(size):
        yield f"@preheat.batched has size={size!r}; it is a function that gives the size of one input.", fix
    elif inspect.iscoroutinefunction(size):
        yield "@preheat.batched has an async size; a plain function gives the size of one input.", fix
    elif (signature := _signature(size)) is not None and not _takes_one(signature):
        name = getattr(size, "__name__", "size")
        own = " It is no method: it is called without self." if "self" in signature.parameters else ""
        yield f"@preheat.batched calls size with one input, and this one is {name}{signature}.{own}", fix


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # some builtins have none
        return None


def _takes_one(signature: inspect.Signature) -> bool:
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True

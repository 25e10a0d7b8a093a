"""Inputs that travel with their Call, for a handler that asks for it. Every engine makes them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from preheat.interface.call import Call
from preheat.interface.message import Request


@dataclass(frozen=True, slots=True)
class Called:
    """An input, and the request that it came with."""

    value: Any
    call: Call


def called(value: Any, request: Request) -> Called:
    """Return the input of `request`, decoded, with what predict may know of it."""
    return Called(value, Call(id=request.id, headers=request.headers))


def with_call(predict: Callable[[Any, Any], Any], *, batched: bool) -> Callable[[Any], Any]:
    """Return a predict of two parameters as one of a Called, or of a list of them."""
    if batched:
        return lambda given: predict([each.value for each in given], [each.call for each in given])
    return lambda given: predict(given.value, given.call)


def of_called(size: Callable[[Any], float]) -> Callable[[Any], float]:
    """Return `size`, which weighs an input, for a Called."""
    return lambda given: size(given.value)

"""What a request weighs in a batch, by the handler's own function. Runs on the event loop."""

from collections.abc import Callable
from typing import Any

from preheat.runtime.attempts import CallFailed, attempt, result_of

LARGEST = 1e12
"""Sizes are squared and summed when the cost of batches is learned; beyond this they would overflow."""


def size_of(size: Callable[[Any], float], value: Any) -> float:
    """Return the size of one request's input. Raises CallFailed, which is an answer to that request alone."""
    number = result_of(attempt(size, value))
    try:
        if 0 <= number <= LARGEST:
            return float(number)
    except (TypeError, ValueError):  # neither ordered nor a number, such as a string or an array
        pass
    wrong = ValueError(
        f"The size of @preheat.batched returned {number!r} for an input; "
        f"it returns a number from 0 to {LARGEST:g}."
    )
    raise CallFailed(wrong)

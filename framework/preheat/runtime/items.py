"""What a streaming predict yields, item by item, wherever its generator runs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from preheat.runtime.attempts import attempt_async, result_of

DONE: Any = object()
"""What comes after the last item."""


class Items(Protocol):
    """The items of one stream. `next` raises CallFailed with what the handler raised."""

    async def next(self) -> Any:
        """Return the next item, or DONE."""
        ...

    async def close(self) -> None:
        """Run the generator's `finally` blocks; what they raise concerns nobody any more."""
        ...


class ThreadItems:
    """The items of a generator whose every step `on_model` runs on the model's thread."""

    def __init__(self, generator: Iterator[Any], on_model: Callable[..., Awaitable[Any]]) -> None:
        self._generator = generator
        self._on_model = on_model

    async def next(self) -> Any:
        """Return the next item, or DONE."""
        return result_of(await self._on_model(next, self._generator, DONE))

    async def close(self) -> None:
        """Run the generator's `finally` blocks, once the step that may be running has ended."""
        if hasattr(self._generator, "close"):
            await self._on_model(self._generator.close)


class LoopItems:
    """The items of an async generator, each step of which runs in a context that `around` makes."""

    def __init__(
        self,
        generator: AsyncIterator[Any],
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._generator = generator
        self._around = around

    async def next(self) -> Any:
        """Return the next item, or DONE."""
        with self._around():
            return result_of(await attempt_async(anext(self._generator, DONE)))

    async def close(self) -> None:
        """Run the generator's `finally` blocks."""
        if hasattr(self._generator, "aclose"):
            await attempt_async(self._generator.aclose())

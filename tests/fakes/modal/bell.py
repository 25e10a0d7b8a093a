"""Waiting for a condition of the control plane, without polling."""

import asyncio
import math
from collections.abc import Callable, Sized
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class Bell:
    """Wakes everyone who waits whenever something has changed; for one event loop."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Let everyone who waits look again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def until(self, look: Callable[[], T], timeout_s: float) -> T:
        """Return what `look` returns as soon as that is true, or what it returns after `timeout_s`."""
        loop = asyncio.get_running_loop()
        given_up = loop.time() + timeout_s
        while not (found := look()):
            left_s = given_up - loop.time()
            if left_s <= 0:
                break
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.add(future)
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await future
            finally:
                self._waiting.discard(future)
        return found

    async def longer(self, sequence: Sized, than: int, timeout_s: float = math.inf) -> bool:
        """Wait until `sequence` has more than `than` elements; return whether it has."""
        return await self.until(lambda: len(sequence) > than, timeout_s)

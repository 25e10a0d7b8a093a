"""Waiting for a condition of the control plane, without polling."""

import asyncio
from collections.abc import Callable
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
                await asyncio.wait_for(future, left_s)
            except TimeoutError:
                pass
            finally:
                self._waiting.discard(future)
        return found

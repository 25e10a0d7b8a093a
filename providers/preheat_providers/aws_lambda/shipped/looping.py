"""The event loop of a function that answers one event at a time. Ships."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Loop:
    """Runs coroutines on the thread that asks, one after another; between them it stands still.

    It is made when first needed: importing asyncio takes 20 ms of a start.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> "asyncio.AbstractEventLoop":
        """Return the loop, which is this thread's from then on."""
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        return self._loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`."""
        return self.open().run_until_complete(work)

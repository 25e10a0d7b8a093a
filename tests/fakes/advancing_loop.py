"""An event loop whose time a test may put forward: deadlines pass, and nobody has waited for them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class AdvancingLoop(asyncio.SelectorEventLoop):
    """Its time goes on as ever. All threads may read it."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        super().__init__()

    def time(self) -> float:
        """Return seconds that never go back."""
        return super().time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once. Call it on the loop."""
        self._ahead_s += seconds


def run_advancing(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a new AdvancingLoop to its end."""
    with asyncio.Runner(loop_factory=AdvancingLoop) as runner:
        return runner.run(work)


def advance(seconds: float) -> None:
    """Let `seconds` pass at once on the running loop, an AdvancingLoop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, AdvancingLoop)
    loop.advance(seconds)

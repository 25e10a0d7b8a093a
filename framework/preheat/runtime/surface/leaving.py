"""Notices that a client has left while its answer is made, and cancels the work."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

PATIENCE_S = 0.02
"""How long an answer may take before anyone looks whether the client is still there.

Watching needs a second task, which costs as much as all else that this surface does for a
request; no work that ends sooner is worth cancelling.
"""


class ClientWatch:
    """A context that cancels what runs in it when the client leaves, and then ends quietly with `left` set.

    Enter it when the body has been read: from then on `receive` has nothing but the disconnect to say.
    """

    __slots__ = ("_cancelling", "_receive", "_task", "_timer", "_watcher", "left")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None
        self.left = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        # Someone else's cancellation, such as the server's shutdown, counts beside ours and must go on.
        return self.left and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError

    def _start(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._task.cancel()

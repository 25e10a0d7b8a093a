"""An upload to a Volume, watched: how far it is, and an end to one of which nothing moves any more.

Modal's client has no limit of its own: it waits for ever for the answer to a block, and repeats one that
is refused for nine minutes (modal/volume.py of modal 1.6.4).
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from preheat.progress import Amount, Report

STAGE = "upload"
HASHED_BYTES_S = 50e6
"""Slower than any disk: all of a file is read and hashed before its first byte is sent."""


class Progress:
    """How far an upload is, as Modal's client tells it: bytes on their way, which a failure takes back."""

    def __init__(self, report: Report, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._clock = clock
        self.total = total
        self.most = 0
        """The most bytes that have ever been on their way or there."""
        self._committed = 0
        self._under_way = 0
        self._group = 0
        self._moved = clock()
        self._unread = 0

    def begin(self, size: int) -> None:
        """Say that `size` bytes come next, which are hashed before anything moves."""
        self._group = self._unread = size
        self._moved = self._clock()

    def left_s(self, stall_s: float) -> float:
        """Return how much longer nothing may move, where `stall_s` is what a connection may rest."""
        return stall_s + self._unread / HASHED_BYTES_S - (self._clock() - self._moved)

    def __call__(self, task_id: object = None, *, advance: float | None = None, **_: object) -> object:
        """Take what the client says of one file."""
        if advance:
            self._under_way += int(advance)
            self._tell(self._committed + self._under_way)
        return task_id

    def committed(self) -> None:
        """Say that what was begun is there to stay, whichever of it was there before."""
        self._committed += self._group
        self._under_way = 0
        self._tell(self._committed)

    def _tell(self, done: int) -> None:
        if done > self.most:
            self.most, self._moved, self._unread = done, self._clock(), 0
        self._report(Amount(STAGE, "weights", min(done, self.total), self.total, "bytes"))


def send_within(stall_s: float, upload: AbstractAsyncContextManager[Any], progress: Progress) -> None:
    """Send what `upload` was given. Raises TimeoutError when nothing has moved for `stall_s`."""
    asyncio.run(_watched(stall_s, upload, progress))


async def _watched(stall_s: float, upload: AbstractAsyncContextManager[Any], progress: Progress) -> None:
    sending = asyncio.create_task(_send(upload))
    while not sending.done():
        left_s = progress.left_s(stall_s)
        if left_s <= 0:  # what still hangs is cancelled with the loop
            raise TimeoutError(
                f"nothing has moved for {stall_s:g} s, after {progress.most} of {progress.total} bytes"
            )
        await asyncio.wait({sending}, timeout=left_s)
    await sending


async def _send(upload: AbstractAsyncContextManager[Any]) -> None:
    async with upload:
        pass  # it sends when it is left

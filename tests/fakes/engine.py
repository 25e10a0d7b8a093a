"""An engine without a model: answers as the test says, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from preheat.interface.message import Request, Response

Answer = Callable[[Request], Awaitable[Response]]


async def echo(request: Request) -> Response:
    """Send the body back under its own media type."""
    return Response(body=request.body, content_type=request.content_type)


class FakeEngine:
    """Implements the Engine protocol over one function."""

    def __init__(self, answer: Answer = echo, *, ready: bool = True) -> None:
        self.answer = answer
        self.ready = ready
        self.requests: list[Request] = []

    async def invoke(self, request: Request) -> Response:
        self.requests.append(request)
        return await self.answer(request)


class Stalled:
    """An answer that never comes. `begun` and `cancelled` are set when that happens."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise AssertionError("nothing sets the event")


class Stream:
    """An answer in numbered chunks, without end. `made` counts them; `closed` is set when it is stopped."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        return Response(content_type="text/event-stream", chunks=self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.made += 1
                yield b"data: %d\n\n" % self.made
                await asyncio.sleep(0)
        finally:
            self.closed.set()

"""Requests from a Unix socket to an engine and back, one at a time on each connection."""

import asyncio
from asyncio import StreamReader, StreamWriter

from preheat.errors import BodyTooLarge
from preheat.interface.message import Engine
from preheat.interface.problem import problem_response
from preheat.runtime.wire import BrokenFrame, read_request, write_response

BACKLOG = 4096
"""How many connections may wait to be accepted: one for each request that runs at once. Linux allows
`net.core.somaxconn` at most."""


class FrameServer:
    """Serves `engine` over frames.

    A caller who closes its end cancels its request; this end closes when the model is free of it.
    """

    def __init__(self, engine: Engine, *, max_bytes: int) -> None:
        self._engine = engine
        self._max_bytes = max_bytes
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def listen(self, path: str) -> None:
        """Accept connections on the Unix socket `path`."""
        loop = asyncio.get_running_loop()
        await loop.create_unix_server(lambda: _Connection(self), path, backlog=BACKLOG)

    async def drained(self) -> None:
        """Return when every answer has been handed to the operating system."""
        await self._idle.wait()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer the requests of one connection until it closes."""
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, BrokenFrame):
            pass  # the caller is gone, and with it whoever could be told
        finally:
            writer.close()

    async def _serve_one(self, reader: StreamReader, writer: StreamWriter) -> bool:
        try:
            request = await read_request(reader, max_bytes=self._max_bytes)
        except BodyTooLarge as error:
            await write_response(writer, problem_response(error))
            return True
        if request is None:
            return False
        self._busy += 1
        self._idle.clear()
        try:
            await write_response(writer, await self._engine.invoke(request))
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()
        return True


class _Connection(asyncio.StreamReaderProtocol):
    """Notices at once when the caller closes, also while its request runs and nobody reads."""

    def __init__(self, server: FrameServer) -> None:
        super().__init__(StreamReader(), self._begin)
        self._server = server
        self._serving: asyncio.Task[None] | None = None

    def _begin(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(reader, writer))

    def eof_received(self) -> bool:
        self._cancel()
        return bool(super().eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._cancel()

    def _cancel(self) -> None:
        # Once: cancelling waits until the model is free, and the caller may wait for that too.
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.cancel()

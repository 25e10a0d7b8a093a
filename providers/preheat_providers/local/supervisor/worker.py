"""One worker as the pool sees it, and the real one: a process that answers frames on a Unix socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from preheat.errors import DeadlineExceeded, HandlerError, RequestError, WorkerDied
from preheat.interface.message import Request, Response
from preheat.runtime.wire import BrokenFrame, read_response, write_request
from preheat_providers.local.supervisor.control import Channel

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Release = Callable[[], None]

CROWDED_S = 0.02
"""How soon a worker whose queue of connections was full is tried again: nothing tells of room in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What a worker says once it can answer. `phases` are names and ms."""

    concurrency: int
    phases: tuple[tuple[str, float], ...] = ()


class StartFailed(HandlerError):
    """A worker did not become ready. `phase` says where it stopped, `traceback` is the handler's."""

    def __init__(self, message: str, *, phase: str, traceback: str = "") -> None:
        super().__init__(message)
        self.phase = phase
        self.traceback = traceback


class NotReached(Exception):
    """The worker got nothing of the request, so that another one may answer it."""


class Worker(Protocol):
    """A process that holds the model, from its start to its end."""

    id: str
    pid: int | None

    async def started(self) -> Ready:
        """Wait until it can answer. Raises StartFailed."""
        ...

    async def ended(self) -> str:
        """Wait until the process is gone; return how it ended, such as `exit code 1`."""
        ...

    async def exchange(self, request: Request, *, limit_s: float, release: Release) -> Response:
        """Have `request` answered within `limit_s`, or kill the worker and raise DeadlineExceeded.

        `release` is called once, when the worker no longer works on it: that is after the last chunk of
        a stream, and after a cancelled predict has come back. Raises WorkerDied, or NotReached.
        """
        ...

    def drain(self) -> None:
        """Have it finish what it does and exit."""
        ...

    def kill(self) -> None:
        """End it now."""
        ...


class SocketWorker:
    """A worker process behind a Unix socket; whoever starts it reports `set_ready` and `set_ended`."""

    def __init__(self, worker_id: str, *, socket: Path, channel: Channel) -> None:
        self.id = worker_id
        self.pid: int | None = None
        self.failure: StartFailed | None = None
        self.socket = socket
        self.channel = channel
        loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[Ready] = loop.create_future()
        self._ended: asyncio.Future[str] = loop.create_future()
        self._kill: Callable[[], None] | None = None
        self.killed = False
        self._idle: list[Connection] = []
        self._lingering: set[asyncio.Task[None]] = set()

    async def started(self) -> Ready:
        """See `Worker`."""
        return await asyncio.shield(self._ready)

    async def ended(self) -> str:
        """See `Worker`."""
        return await asyncio.shield(self._ended)

    def set_process(self, pid: int, kill: Callable[[], None]) -> None:
        """Say which process it is and how to end it."""
        self.pid = pid
        self._kill = kill
        if self.killed:
            kill()

    def set_ready(self, ready: Ready) -> None:
        """Report that it can answer."""
        if not self._ready.done():
            self._ready.set_result(ready)

    def set_failed(self, failure: StartFailed) -> None:
        """Report that it will never answer, unless it was ready before."""
        if not self._ready.done():
            self.failure = failure
            self._ready.set_exception(failure)
            self._ready.exception()  # nobody may be waiting

    def set_ended(self, how: str) -> None:
        """Report that the process is gone."""
        self.set_failed(StartFailed(f"the worker ended before it was ready: {how}", phase="start"))
        if not self._ended.done():
            self._ended.set_result(how)
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    def drain(self) -> None:
        """See `Worker`."""
        self.channel.send({"op": "drain"})

    def kill(self) -> None:
        """See `Worker`."""
        self.killed = True
        if self._kill is not None and not self._ended.done():
            self._kill()

    async def exchange(self, request: Request, *, limit_s: float, release: Release) -> Response:
        """See `Worker`."""
        deadline = asyncio.get_running_loop().time() + limit_s
        try:
            connection = await self._connect(deadline)
        except asyncio.CancelledError:
            release()
            raise
        reader, writer = connection
        try:
            async with asyncio.timeout_at(deadline):
                await write_request(writer, request)
                response = await read_response(reader, writer)
        except TimeoutError as exc:
            self._linger(connection, release, 0.0)
            raise _late(limit_s) from exc
        except asyncio.CancelledError:
            self._linger(connection, release, limit_s)
            raise
        except (BrokenFrame, ConnectionError) as exc:
            writer.close()
            release()
            raise WorkerDied("The process that answered this request ended before the answer.") from exc
        if response.chunks is None:
            self._keep(connection)
            release()
            return response
        chunks = _Stream(response.chunks, self, connection, deadline, limit_s, release)
        return replace(response, chunks=chunks)

    async def _connect(self, deadline: float) -> Connection:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self.socket)
            except OSError as exc:
                raise NotReached(str(exc)) from exc
            if writer.get_extra_info("peername") is not None:
                return reader, writer
            # A full queue answers EAGAIN, which asyncio takes for success: there is nobody at the other end.
            writer.close()
            if asyncio.get_running_loop().time() > deadline:
                raise NotReached("it accepts no connection")
            await asyncio.sleep(CROWDED_S)

    def _keep(self, connection: Connection) -> None:
        if self._ended.done():
            connection[1].close()
        else:
            self._idle.append(connection)

    def _linger(self, connection: Connection, release: Release, limit_s: float) -> None:
        task = asyncio.create_task(self._let_go(connection, release, limit_s))
        self._lingering.add(task)
        task.add_done_callback(self._lingering.discard)

    async def _let_go(self, connection: Connection, release: Release, limit_s: float) -> None:
        """Cancel the request, and keep its place until predict has come back; kill what never does."""
        reader, writer = connection
        try:
            async with asyncio.timeout(limit_s):
                if writer.can_write_eof():
                    writer.write_eof()
                while await reader.read(65536):
                    pass
        except TimeoutError:
            self.kill()
        except OSError:
            pass
        finally:
            writer.close()
            release()


class _Stream(AsyncIterator[bytes]):
    """The chunks of one answer; frees the worker's place exactly once, whichever way it ends."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        worker: SocketWorker,
        connection: Connection,
        deadline: float,
        limit_s: float,
        release: Release,
    ) -> None:
        self._chunks = chunks
        self._worker = worker
        self._connection = connection
        self._deadline = deadline
        self._limit_s = limit_s
        self._release = release
        self._open = True

    async def __anext__(self) -> bytes:
        if not self._open:
            raise StopAsyncIteration
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(self._chunks)
        except (StopAsyncIteration, RequestError):
            self._open = False
            self._worker._keep(self._connection)
            self._release()
            raise
        except TimeoutError as exc:
            self._abandon(0.0)
            raise _late(self._limit_s) from exc
        except (BrokenFrame, ConnectionError) as exc:
            self._open = False
            self._connection[1].close()
            self._release()
            raise WorkerDied("The process that answered this request ended during the answer.") from exc
        except asyncio.CancelledError:
            self._abandon(self._limit_s)
            raise

    async def aclose(self) -> None:
        """Stop reading, which cancels the request."""
        if self._open:
            self._abandon(self._limit_s)

    def _abandon(self, limit_s: float) -> None:
        self._open = False
        self._worker._linger(self._connection, self._release, limit_s)


def _late(limit_s: float) -> DeadlineExceeded:
    return DeadlineExceeded(f"No answer within {limit_s:.4g} s; the process was ended.")

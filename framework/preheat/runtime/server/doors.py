"""Where the connections of one process come from: its own listening socket, or the host above it."""

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from preheat.runtime.log import log_to_stderr
from preheat.runtime.server.line import CLOSED, CONNECTION, LEAVING, READY, receive
from preheat.runtime.server.listening import address_of
from preheat.runtime.server.scratch import remove

if TYPE_CHECKING:
    from preheat.runtime.server.http import Endpoint
    from preheat.runtime.server.waiting_room import WaitingRoom


class Door(Protocol):
    """What brings a process connections and orders."""

    ignored: tuple[signal.Signals, ...]
    """Signals that mean somebody else."""

    def watch(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        """Call `stop` on `loop` when this process is told to end, from before it is ready."""
        ...

    async def open(self, endpoint: "Endpoint") -> str:
        """Bring `endpoint` connections from now on; say where they come from."""
        ...

    def closed(self) -> None:
        """Take note that a connection has ended."""
        ...

    async def leaving(self) -> None:
        """Bring no more connections."""
        ...

    def clean_up(self) -> None:
        """Remove what this process leaves behind."""
        ...


class OwnDoor:
    """The only process of a server: it listens itself, and `scratch` is its to remove.

    While the model loads, `room` answers, where there is one.
    """

    ignored: tuple[signal.Signals, ...] = ()

    def __init__(self, listener: socket.socket, scratch: Path, room: "WaitingRoom | None" = None) -> None:
        self._listener = listener
        self._scratch = scratch
        self._room = room

    def watch(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        """Nobody but signals tells this process to end."""

    async def open(self, endpoint: "Endpoint") -> str:
        """Accept what waits in the kernel, once nobody else does."""
        if self._room is not None:
            self._room.close()
        await endpoint.start(self._listener)
        return f"answers at {address_of(self._listener)}"

    def closed(self) -> None:
        """Nobody counts."""

    async def leaving(self) -> None:
        """The endpoint itself stops accepting."""

    def clean_up(self) -> None:
        """Remove the scratch folder."""
        remove(self._scratch)


class HostDoor:
    """One worker of several: `line` leads to the host, which has the folders and gets the Ctrl-C."""

    ignored: tuple[signal.Signals, ...] = (signal.SIGINT,)

    def __init__(self, line: socket.socket, slot: int) -> None:
        self._line = line
        self._slot = slot
        self._endpoint: Endpoint | None = None
        self._adopting: set[asyncio.Task[None]] = set()
        self._no_more = asyncio.Event()

    def watch(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        """Read the line; a host that is gone stops this process as one that says so does."""
        loop.add_reader(self._line.fileno(), self._read, loop, stop)

    async def open(self, endpoint: "Endpoint") -> str:
        """Tell the host that connections may come."""
        self._endpoint = endpoint
        self._tell(READY)
        return f"answers as worker {self._slot}"

    def closed(self) -> None:
        """Let the host count."""
        self._tell(CLOSED)

    async def leaving(self) -> None:
        """Ask the host for no more, and take in what it sends until it has heard that."""
        self._tell(LEAVING)
        await self._no_more.wait()
        await asyncio.gather(*self._adopting)

    def clean_up(self) -> None:
        """Leave that to the host."""

    def _read(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        while (received := receive(self._line)) is not None:
            message, connection = received
            if message != CONNECTION:
                loop.remove_reader(self._line.fileno())
                self._no_more.set()
                stop()
                return
            if connection is None:
                self._miss()
                continue
            assert self._endpoint is not None
            task = loop.create_task(self._endpoint.adopt(connection))
            self._adopting.add(task)
            task.add_done_callback(self._adopting.discard)

    def _miss(self) -> None:
        """Say that a connection did not come through: the kernel drops one that this process may not open."""
        message = f"Worker {self._slot} has no descriptor left (ulimit -n): a connection was lost."
        log_to_stderr({"level": "error", "event": "accept-failed", "message": message})
        self._tell(CLOSED)

    def _tell(self, message: bytes) -> None:
        with suppress(OSError):  # the host is gone, which reading the line tells too
            self._line.send(message)

"""The socket on which workers report: who is there, ready, failed, and what they print.

Touches one Unix socket. A worker names itself in its first line; a connection from anyone who is
not expected is closed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

LINE_BYTES = 4 * 1024 * 1024
HELLO_S = 10.0

Event = Mapping[str, Any]


class Channel:
    """One worker's control connection: its events, in order, until it closes."""

    def __init__(self) -> None:
        self._connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.get_running_loop().create_future()
        )
        self._hello: Event = {}

    def attach(self, hello: Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take the connection, whose first line was `hello`; False when there is one already."""
        if self._connected.done():
            return False
        self._hello = hello
        self._connected.set_result((reader, writer))
        return True

    async def events(self) -> AsyncIterator[Event]:
        """Yield what the worker says, its hello first, until the connection closes."""
        reader, _ = await asyncio.shield(self._connected)
        yield self._hello
        while (event := await read_json_line(reader)) is not None:
            yield event

    @property
    def connected(self) -> bool:
        """Whether the worker has ever connected."""
        return self._connected.done() and not self._connected.cancelled()

    def send(self, message: Event) -> None:
        """Tell the worker something, if it is connected."""
        if self.connected:
            _, writer = self._connected.result()
            if not writer.is_closing():
                writer.write(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        """Close the connection, on which the worker exits."""
        if self.connected:
            self._connected.result()[1].close()
        else:
            self._connected.cancel()


async def read_json_line(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Read one JSON object; None at the end, and for anything that is none."""
    try:
        line = await reader.readline()
        message = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, ConnectionError):
        return None
    return message if isinstance(message, dict) else None


async def pump_lines(reader: asyncio.StreamReader, line: Callable[[str], None]) -> None:
    """Pass every line of `reader` on as text, whatever bytes it holds and however long it is."""
    pending = b""
    while chunk := await reader.read(65536):
        *whole, pending = (pending + chunk).split(b"\n")
        if len(pending) > 65536:
            whole.append(pending)
            pending = b""
        for each in whole:
            line(each.decode("utf-8", "replace").rstrip("\r"))
    if pending:
        line(pending.decode("utf-8", "replace"))


class ControlServer:
    """Routes each connection to the worker that is expected under its id."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._channels: dict[str, Channel] = {}
        self._outputs: dict[str, Callable[[str], None]] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, self.path, limit=LINE_BYTES)

    async def stop(self) -> None:
        """Close the socket and every connection."""
        for channel in self._channels.values():
            channel.close()
        for task in tuple(self._tasks):
            task.cancel()
        if self._server is not None:
            self._server.close()
        self.path.unlink(missing_ok=True)

    def expect(self, worker_id: str, output: Callable[[str], None]) -> Channel:
        """Return the channel on which `worker_id` will report; each line it prints goes to `output`."""
        self._channels[worker_id] = channel = Channel()
        self._outputs[worker_id] = output
        return channel

    def forget(self, worker_id: str) -> None:
        """Close the worker's channel and expect it no more; what it still prints is read to its end."""
        channel = self._channels.pop(worker_id, None)
        self._outputs.pop(worker_id, None)
        if channel is not None:
            channel.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            async with asyncio.timeout(HELLO_S):
                hello = await read_json_line(reader) or {}
            worker_id = str(hello.get("id"))
            if hello.get("event") == "output" and worker_id in self._outputs:
                await pump_lines(reader, self._outputs[worker_id])
            elif (
                hello.get("event") == "hello"
                and worker_id in self._channels
                and self._channels[worker_id].attach(hello, reader, writer)
            ):
                return
            writer.close()
        except (TimeoutError, ConnectionError, asyncio.CancelledError):
            writer.close()
        finally:
            self._tasks.discard(task)

"""The admin socket: one JSON object in, JSON objects out, a line each. Only the home's owner can open it.

A reply is any number of `{"step": text}` or log events, then `{"result": ...}` or `{"error": {...}}`.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from preheat.errors import PreheatError
from preheat_providers.local.supervisor.control import read_json_line
from preheat_providers.local.supervisor.orders import Order, Orders

ORDER_BYTES = 16 * 1024 * 1024

Send = Callable[[Mapping[str, Any]], None]


class Admin:
    """Takes orders and sends their answers. `on_idle` is called whenever the last connection has closed."""

    def __init__(self, orders: Orders, *, on_idle: Callable[[], None]) -> None:
        self._orders = orders
        self._on_idle = on_idle
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def busy(self) -> bool:
        """Whether somebody is connected."""
        return bool(self._connections)

    async def start(self, path: Path) -> None:
        """Listen on `path`, whose folder is private."""
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, path, limit=ORDER_BYTES)

    async def stop(self) -> None:
        """Take no more orders; let those in hand be answered."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task in self._connections - self._answering:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while not self._stopping and (order := await read_json_line(reader)) is not None:
                if order.get("op") == "logs":
                    await self._logs(order, reader, writer)
                    continue
                self._answering.add(task)
                await self._answer(order, writer)
                self._answering.discard(task)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._connections.discard(task)
            self._answering.discard(task)
            if not self._connections:
                self._on_idle()

    async def _answer(self, order: Order, writer: asyncio.StreamWriter) -> None:
        def send(message: Mapping[str, Any]) -> None:
            if not writer.is_closing():
                writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")

        # A client that goes away in the middle must not cut an order off: it runs beside the connection.
        work = asyncio.ensure_future(self._perform(order, send))
        send(await asyncio.shield(work))
        await writer.drain()

    async def _perform(self, order: Order, send: Send) -> Mapping[str, Any]:
        try:
            return {"result": await self._orders.perform(order, lambda text: send({"step": text}))}
        except PreheatError as error:
            return {"error": {"type": type(error).__name__, "message": error.message, "hint": error.hint}}
        except Exception as exc:  # noqa: BLE001 - one order must not end the supervisor of all functions
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"order {order.get('op')}", "exception": exc}
            )
            return {
                "error": {"type": "ProviderError", "message": f"the supervisor failed: {exc!r}", "hint": None}
            }

    async def _logs(self, order: Order, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send what the log holds and, if asked to follow, what comes, until the client closes."""
        try:
            log = self._orders.home.function(order["name"], order["stage"]).log
        except PreheatError as error:
            failed = {"type": type(error).__name__, "message": error.message, "hint": error.hint}
            writer.write(json.dumps({"error": failed}).encode() + b"\n")
            return
        follower = log.follow()
        try:
            for line in log.lines():
                writer.write(line.encode())
            await writer.drain()
            if order["follow"]:
                await _follow(follower, reader, writer)
            writer.write(b'{"result": null}\n')
            await writer.drain()
        finally:
            log.unfollow(follower)


async def _follow(
    follower: "asyncio.Queue[str | None]",
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    left = asyncio.ensure_future(reader.read(1))
    try:
        while True:
            line = asyncio.ensure_future(follower.get())
            await asyncio.wait({left, line}, return_when=asyncio.FIRST_COMPLETED)
            if left.done() or not line.done():
                line.cancel()
                return
            text = line.result()
            if text is None:
                return
            writer.write(text.encode())
            await writer.drain()
    finally:
        left.cancel()

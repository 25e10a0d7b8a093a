"""One HTTP request to an ASGI application, message by message, as a slow or vanishing client makes it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message


class Exchange:
    """Feeds an application and keeps what it sends. While `taking` is clear, the client reads nothing."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        method: str = "POST",
        path: str = "/invocations",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.taking = asyncio.Event()
        self.taking.set()
        self.sent: list[Message] = []
        self.changed = asyncio.Condition()
        raw = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in (headers or {}).items()]
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": raw,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        self._served = asyncio.ensure_future(app(scope, self._incoming.get, self._send))

    async def _send(self, message: Message) -> None:
        async with self.changed:
            self.sent.append(message)
            self.changed.notify_all()
        await self.taking.wait()

    def body(self, chunk: bytes, *, more: bool = False) -> None:
        """Let the client send a part of its body."""
        self._incoming.put_nowait({"type": "http.request", "body": chunk, "more_body": more})

    def leave(self) -> None:
        """Let the client close the connection."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    def stop(self) -> None:
        """Cancel the request as a server does when it shuts down."""
        self._served.cancel()

    async def served(self) -> None:
        """Wait until the application is done with the request."""
        await self._served

    async def until_sent(self, messages: int) -> None:
        """Wait until the application has sent so many messages."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.sent) >= messages)

    @property
    def status(self) -> int | None:
        """The answer's status, once it has begun."""
        status: int | None = self.sent[0]["status"] if self.sent else None
        return status

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers."""
        return {name.decode(): value.decode("latin-1") for name, value in self.sent[0]["headers"]}

    @property
    def answer(self) -> bytes:
        """The answer's body, as far as it was sent."""
        return b"".join(message.get("body", b"") for message in self.sent[1:])

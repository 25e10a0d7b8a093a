"""The seam between an HTTP server and an application for requests that are in memory whole."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

RawHeaders = list[tuple[bytes, bytes]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Reply(Protocol):
    """Where one answer goes."""

    keep_alive: bool
    """Whether the connection stays open behind the answer."""

    def write(self, message: bytes) -> None:
        """Send the whole answer, head and body."""
        ...

    def conversation(self) -> Send:
        """Return ASGI's send instead, for an answer that comes in parts."""
        ...


class Direct(Protocol):
    """What an application offers at `app.state.direct`: its hot path, without an ASGI conversation."""

    targets: frozenset[bytes]
    """Which request targets of POST it answers."""

    async def answer(self, scope: dict[str, Any], headers: RawHeaders, body: bytes, reply: Reply) -> None:
        """Answer one request; `scope` is ASGI's without the headers. Cancelled when the client leaves."""
        ...

"""HTTP/1.1 on one listening socket, by uvicorn's httptools protocol, in front of an ASGI application.

uvicorn.Server is left out on purpose: it wakes ten times a second, for every socket.
"""

import asyncio
import json
import socket
import ssl
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from preheat.interface.message import PROBLEM_TYPE

HEADER_S = 10.0
HEADER_BYTES = 64 * 1024
KEEP_ALIVE_S = 30
BACKLOG = 512


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on how long, and how large, a request's head may be."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        *,
        header_s: float,
    ) -> None:
        super().__init__(config, state, {}, loop)
        self._header_s = header_s
        self._head_deadline: TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Count what arrives while a head is expected, and parse it."""
        if self._head_deadline is None and self._between_requests():
            self._expect_head()
        if self._head_deadline is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_deadline is not None and self._head_bytes > HEADER_BYTES:
            self._refuse(
                431, "Request Header Fields Too Large", f"The head is larger than {HEADER_BYTES} bytes."
            )

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the application's own bounds hold."""
        self._forget_head()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._forget_head()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(400, "Bad Request", msg)

    def _between_requests(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or (cycle.response_complete and not cycle.more_body)

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._head_deadline = self.loop.call_later(self._header_s, self._too_slow)

    def _forget_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _too_slow(self) -> None:
        if self._head_bytes:
            self._refuse(408, "Request Timeout", f"The head was not complete within {self._header_s:g} s.")
        else:
            self.transport.close()

    def _refuse(self, status: int, title: str, detail: str) -> None:
        self._forget_head()
        document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        body = json.dumps(document).encode()
        head = (
            f"HTTP/1.1 {status} {title}\r\ncontent-type: {PROBLEM_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class Endpoint:
    """Listens on one socket. `app` is the ASGI application and may be replaced at any moment."""

    def __init__(self, app: Any, *, tls: ssl.SSLContext | None = None, header_s: float = HEADER_S) -> None:
        self._header_s = header_s
        self.app = app
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._state = ServerState()
        self.port = 0

    async def start(self, listener: socket.socket) -> int:
        """Accept connections on `listener`, which is bound; return its port."""
        config = Config(
            self._dispatch,
            http=BoundedProtocol,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        config.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: BoundedProtocol(config, self._state, loop, header_s=self._header_s),
            sock=listener,
            ssl=self._tls,
            backlog=BACKLOG,
        )
        self.port = int(listener.getsockname()[1])
        return self.port

    async def stop(self, limit_s: float) -> None:
        """Accept nothing more and let the requests in hand be answered, for `limit_s` at most."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            _, late = await asyncio.wait(tuple(self._state.tasks), timeout=limit_s)
            for task in late:
                task.cancel()
        for connection in tuple(self._state.connections):
            connection.transport.close()
        self._server = None

    async def _dispatch(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

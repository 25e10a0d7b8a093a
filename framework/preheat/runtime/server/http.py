"""HTTP/1.1 by uvicorn's httptools protocol, in front of an ASGI application.

uvicorn.Server is left out on purpose: it wakes ten times a second, for every socket.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from preheat.runtime.server.bounds import Bounds
from preheat.runtime.server.direct import DirectProtocol, direct_of

BACKLOG = 512


class Endpoint:
    """Serves connections: those of one listening socket, or those that another process accepted.

    `app` is the ASGI application and may be replaced at any moment. `on_closed` is called after
    each connection.
    """

    def __init__(
        self,
        app: Any,
        *,
        tls: ssl.SSLContext | None = None,
        bounds: Bounds | None = None,
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        self._bounds = bounds or Bounds()
        self._app = app
        self._direct = direct_of(app)
        self._tls = tls
        self._on_closed = on_closed
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._state = ServerState()
        self._config = self._configured()
        self._empty = asyncio.Event()
        self.port = 0

    @property
    def app(self) -> Any:
        """The application that answers from now on."""
        return self._app

    @app.setter
    def app(self, app: Any) -> None:
        self._app = app
        self._direct = direct_of(app)

    async def start(self, listener: socket.socket) -> int:
        """Accept connections on `listener`, which is bound; return its port."""
        self._listener = listener
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol,
            sock=listener,
            ssl=self._tls,
            ssl_handshake_timeout=self._handshake_s,
            backlog=BACKLOG,
        )
        self.port = int(listener.getsockname()[1])
        return self.port

    async def adopt(self, connection: socket.socket) -> None:
        """Serve `connection`, which has been accepted and does not block."""
        await asyncio.get_running_loop().connect_accepted_socket(
            self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=self._handshake_s
        )

    async def stop(self, limit_s: float, *, idle_s: float = 0.0) -> int:
        """Accept nothing more and let the requests in hand be answered, for `limit_s` at most.

        A connection without one stays open for `idle_s`: its next request may be on its way, and
        closing would lose it. Returns how many requests were cut off.
        """
        await self._stop_accepting()
        for connection in self._connections():
            connection.leave()
        deadline = asyncio.get_running_loop().time() + limit_s
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_closed(), min(idle_s, limit_s))
        for connection in self._connections():
            connection.shutdown()
        late: set[asyncio.Task[None]] = set()
        if self._state.tasks:
            left_s = max(0.0, deadline - asyncio.get_running_loop().time())
            _, late = await asyncio.wait(tuple(self._state.tasks), timeout=left_s)
            for task in late:
                task.cancel()
        for connection in self._connections():
            connection.transport.close()
        return len(late)

    async def _stop_accepting(self) -> None:
        server, listener = self._server, self._listener
        self._server = self._listener = None
        if server is None or listener is None:
            return
        # Closing resets what the kernel has completed and nobody has accepted.
        with suppress(OSError):  # nobody waits any more, or no descriptor is left for who does
            while True:
                await self.adopt(listener.accept()[0])
        server.close()

    async def _all_closed(self) -> None:
        while self._state.connections:
            self._empty.clear()
            await self._empty.wait()

    def _closed(self) -> None:
        if not self._state.connections:
            self._empty.set()
        self._on_closed()

    @property
    def _handshake_s(self) -> float | None:
        return self._bounds.head_s if self._tls else None

    def _connections(self) -> list[DirectProtocol]:
        return [each for each in self._state.connections if isinstance(each, DirectProtocol)]

    def _protocol(self) -> DirectProtocol:
        loop = asyncio.get_running_loop()
        return DirectProtocol(
            self._config,
            self._state,
            loop,
            bounds=self._bounds,
            on_closed=self._closed,
            direct=lambda: self._direct,
        )

    def _configured(self) -> Config:
        config = Config(
            self._dispatch,
            http=DirectProtocol,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        config.load()
        return config

    async def _dispatch(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

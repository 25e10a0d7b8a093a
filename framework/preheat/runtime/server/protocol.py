"""uvicorn's HTTP/1.1 protocol on httptools, with bounds on heads. It serves one connection."""

import asyncio
import json
from asyncio.events import TimerHandle
from collections.abc import Callable

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from preheat.interface.message import PROBLEM_TYPE

HEADER_S = 10.0
HEADER_BYTES = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on how long, and how large, a request's head may be."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        *,
        header_s: float,
        on_closed: Callable[[], None],
    ) -> None:
        super().__init__(config, state, {}, loop)
        self._header_s = header_s
        self._on_closed = on_closed
        self._leaving = False
        self._in_head = True
        self._head_deadline: TimerHandle | None = None
        self._head_bytes = 0
        self._idle_since: float | None = None
        self._idle_timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Parse `data`; a head that it leaves unfinished is bounded from here on."""
        if not self._in_head and self._between_requests():
            self._in_head = True
            self._head_bytes = 0
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEADER_BYTES:
                self._refuse(
                    431, "Request Header Fields Too Large", f"The head is larger than {HEADER_BYTES} bytes."
                )
            elif self._head_deadline is None:
                self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the application's own bounds hold."""
        self._end_head()
        super().on_headers_complete()
        if self._leaving:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._end_head()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        super().connection_lost(exc)
        self._on_closed()

    def leave(self) -> None:
        """Close after the answer in hand; when there is none, after the next one, which may be on its way."""
        self._leaving = True
        if not self._between_requests():
            self.shutdown()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(400, "Bad Request", msg)

    def _between_requests(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or (cycle.response_complete and not cycle.more_body)

    def on_response_complete(self) -> None:
        """Go on with the request that came behind this one, or be idle.

        As uvicorn does, but with one timer for a connection instead of one for each request.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look_idle)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def _look_idle(self) -> None:
        self._idle_timer = None
        if self._idle_since is None:
            return
        left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._idle_timer = self.loop.call_later(left_s, self._look_idle)
        else:
            self.transport.close()

    def _expect_head(self) -> None:
        self._head_deadline = self.loop.call_later(self._header_s, self._too_slow)

    def _end_head(self) -> None:
        self._in_head = False
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _too_slow(self) -> None:
        if self._head_bytes:
            self._refuse(408, "Request Timeout", f"The head was not complete within {self._header_s:g} s.")
        else:
            self.transport.close()

    def _refuse(self, status: int, title: str, detail: str) -> None:
        self._end_head()
        document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        body = json.dumps(document).encode()
        head = (
            f"HTTP/1.1 {status} {title}\r\ncontent-type: {PROBLEM_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

"""uvicorn's HTTP/1.1 protocol on httptools, within bounds. It serves one connection.

What is no request is refused with a problem document, behind the answers to the requests before it,
and nothing after it is read.
"""

import asyncio
import socket
from asyncio.events import TimerHandle
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from preheat.runtime.server.bounds import Bounds
from preheat.runtime.server.heads import (
    Refused,
    check_codings,
    check_head,
    check_size,
    without_upgrade,
)

LINGER_S = 1.0
"""How long a client whose request was refused may go on sending, so that no reset overtakes the answer."""
LINGERING = 64
"""How many connections beyond the bound are told so; more are closed without a word."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds on what clients send, and on how long they take for it."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        *,
        bounds: Bounds,
        on_closed: Callable[[], None],
    ) -> None:
        super().__init__(config, state, {}, loop)
        self._bounds = bounds
        self._on_closed = on_closed
        self._leaving = False
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._large = False
        self._hosts: list[bytes] = []
        self._codings: list[bytes] = []
        self._known_host: bytes | None = None
        self._upgrading = False
        self._deadline: TimerHandle | None = None
        self._idle_since: float | None = None
        self._idle_timer: TimerHandle | None = None
        self._active: RequestResponseCycle | None = None
        self._refusal: Refused | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head, unless too many connections are open."""
        super().connection_made(transport)
        _bound_unread(transport, self._bounds.stalled_s)
        beyond = len(self.connections) - self._bounds.connections
        if beyond > LINGERING:
            transport.abort()
        elif beyond > 0:
            detail = f"{self._bounds.connections} connections are open, which is the limit."
            self._refuse(Refused(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after_s=1))
        else:
            self._expect(self._head_too_slow)

    def data_received(self, data: bytes) -> None:
        """Parse `data`; a head that it leaves unfinished is bounded from here on."""
        if self._refusal is not None:
            return
        self._idle_since = None
        if not self._in_head and self._between_requests():
            self._in_head = True
            self._head_bytes = 0
        continued = self._in_head
        self._large = len(data) > self._bounds.head_bytes
        self._parse(data)
        if self._in_head and self._refusal is None:
            if continued:
                self._head_bytes += len(data)
            if self._head_bytes > self._bounds.head_bytes:
                self._refuse(_too_large(self._bounds.head_bytes))
            elif self._deadline is None and not self.flow.read_paused:
                self._expect(self._head_too_slow)

    def _parse(self, data: bytes) -> None:
        while (stopped := self._feed(data)) is not None:
            head = without_upgrade(
                self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers
            )
            data = head + data[stopped:]
            self._upgrading = False
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def _feed(self, data: bytes) -> int | None:
        """Parse `data`; return where the head of a request ends that asks for another protocol, if any."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return int(upgrade.args[0])
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, Refused):
                raise
            self._refuse(error.__context__)
        except httptools.HttpParserError as error:
            self._refuse(Refused(HTTPStatus.BAD_REQUEST, f"This is no HTTP/1.1 request: {error}."))
        return None

    def begin_head(self) -> None:
        """Forget the request before."""
        self._in_head = True
        self._head_bytes = 1
        self._hosts = []
        self._codings = []
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one field of the head; what comes behind the body is no part of it (RFC 9110 section 6.5)."""
        if not self._in_head:
            return
        name = name.lower()
        if name == b"host":
            self._hosts.append(value)
        elif name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        elif name == b"transfer-encoding":
            self._codings.append(value)
        self.headers.append((name, value))

    def end_head(self) -> bool:
        """Check the head, which is whole; tell whether to go on with it. Raises Refused."""
        if self._large or self._head_bytes > 1:
            check_size(self.url, self.headers, self._bounds.head_bytes)
        version = self.parser.get_http_version()
        if version != "1.1" or self._hosts != [self._known_host]:
            check_head(version, self._hosts)
            self._known_host = self._hosts[0] if self._hosts else None
        if self._codings:
            check_codings(self._codings, version)
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise Refused(HTTPStatus.NOT_IMPLEMENTED, "This server is no proxy.")
            self._upgrading = True
            return False
        if len(self.pipeline) >= self._bounds.pipelined:
            detail = f"{self._bounds.pipelined} requests wait on this connection, which is the limit."
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after_s=1)
        self._in_head = False
        self._in_body = True
        self._relax()
        return True

    def on_headers_complete(self) -> None:
        """Let the application begin."""
        try:
            super().on_headers_complete()
        except (httptools.HttpParserError, UnicodeDecodeError) as error:
            self._in_body = False
            raise Refused(HTTPStatus.BAD_REQUEST, "The request target cannot be read.") from error
        if self._leaving:
            self.shutdown()

    def on_message_complete(self) -> None:
        """The body is whole; it may outlast its answer."""
        if self._upgrading:
            return
        self._in_body = False
        self._relax()
        if not self.cycle.response_complete:
            super().on_message_complete()
        elif self._refusal is None:
            self._be_idle()

    def on_response_complete(self) -> None:
        """Go on with what came behind this request, or be idle.

        As uvicorn does, but with one timer for a connection instead of one for each request.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._send_refusal(self._refusal)
        elif self._in_body:
            self._expect(self.transport.close)
        elif self._in_head:
            self._expect(self._head_too_slow)
        else:
            self._be_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers, and let the application notice."""
        self._relax()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        _disconnect(self._active)  # uvicorn tells the last one only
        super().connection_lost(exc)
        self._on_closed()

    def leave(self) -> None:
        """Close after the answer in hand; when there is none, after the next one, which may be on its way."""
        self._leaving = True
        if not self._between_requests():
            self.shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, app)

    def _answering(self) -> bool:
        return self._active is not None and not self._active.response_complete

    def _between_requests(self) -> bool:
        return not self._in_body and not self._answering()

    def _be_idle(self) -> None:
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self._bounds.idle_s, self._look_idle)

    def _look_idle(self) -> None:
        self._idle_timer = None
        if self._idle_since is None:
            return
        left_s = self._idle_since + self._bounds.idle_s - self.loop.time()
        if left_s > 0:
            self._idle_timer = self.loop.call_later(left_s, self._look_idle)
        else:
            self.transport.close()

    def _expect(self, otherwise: Callable[[], None]) -> None:
        self._relax()
        self._deadline = self.loop.call_later(self._bounds.head_s, otherwise)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _head_too_slow(self) -> None:
        if self._head_bytes:
            detail = f"The head was not complete within {self._bounds.head_s:g} s."
            self._refuse(Refused(HTTPStatus.REQUEST_TIMEOUT, detail))
        else:
            self.transport.close()

    def _refuse(self, refusal: Refused) -> None:
        self._refusal = refusal
        self._relax()
        if self._in_body:
            self._in_body = False
            self.abandon()
        if not self._answering():
            self._send_refusal(refusal)

    def abandon(self) -> None:
        """Give up the request whose body cannot be read."""
        if self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()
        elif self.cycle is self._active:
            self._active = None
            _disconnect(self.cycle)
            if self.cycle.response_started:  # its answer has no place for another one
                self.transport.close()

    def _send_refusal(self, refusal: Refused) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(refusal.answer())
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_S, self.transport.close)


def _disconnect(cycle: RequestResponseCycle | None) -> None:
    if cycle is not None and not cycle.response_complete:
        cycle.disconnected = True
        cycle.message_event.set()


def _bound_unread(transport: asyncio.Transport, stalled_s: float) -> None:
    """Let the kernel end a connection whose client takes nothing of what was written (tcp(7)).

    Closing does not: it goes on until all is written, for as long as the client is there.
    """
    with suppress(OSError):  # no TCP socket
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stalled_s * 1000))


def _too_large(most: int) -> Refused:
    return Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The head is larger than {most} bytes.")

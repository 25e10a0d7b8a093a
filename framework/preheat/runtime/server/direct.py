"""The short way of a small request: from the parser straight to its answer, without an ASGI conversation.

A request that is in memory whole when its head is parsed needs no receive, no send and no task to
watch for its client; those cost as much again as everything else that is done for it. What is
longer, chunked over several packets, or asks before it sends goes the ordinary way.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from preheat.runtime.direct import Direct, RawHeaders, Send
from preheat.runtime.server.protocol import BoundedProtocol


def direct_of(app: Any) -> Direct | None:
    """Return what `app` offers, or None."""
    return getattr(getattr(app, "state", None), "direct", None)


class DirectProtocol(BoundedProtocol):
    """uvicorn's protocol, with the short way where the application offers one."""

    def __init__(self, *args: Any, direct: Callable[[], Direct | None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._direct = direct
        self._taken: Direct | None = None
        self._held: list[bytes] = []
        self._scopes: dict[bytes, dict[str, Any]] = {}
        self._exchange: _Exchange | None = None

    def data_received(self, data: bytes) -> None:
        """Parse `data`; a request whose end is not in it goes the ordinary way."""
        super().data_received(data)
        if self._taken is not None:
            self._taken = None
            self._begin_ordinary()
            for part in self._held:
                super().on_body(part)

    def on_message_begin(self) -> None:
        """Keep the head until it is clear which way the request goes."""
        self.begin_head()

    def on_headers_complete(self) -> None:
        """Choose the way."""
        busy = self._answering()
        if not self.end_head():
            return
        direct = self._direct()
        if (
            direct is not None
            and not busy
            and self.url in direct.targets
            and self.parser.get_method() == b"POST"
            and not self.expect_100_continue
            and self.parser.get_http_version() == "1.1"
        ):
            self._taken = direct
            self._held = []
        else:
            self._begin_ordinary()

    def on_body(self, body: bytes) -> None:
        """Hold the body, or pass it on."""
        if self._taken is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """The request is whole: answer it."""
        direct, self._taken = self._taken, None
        if direct is None:
            super().on_message_complete()
            return
        self._in_body = False
        exchange = _Exchange(self, keep_alive=self.parser.should_keep_alive() and not self._leaving)
        # A request behind it waits until it is complete.
        self.cycle = self._active = exchange  # type: ignore[assignment]
        self._exchange = exchange
        body = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        exchange.begin(direct, self.url, self.headers, body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the work for a client that has left."""
        if self._exchange is not None:
            self._exchange.stop()
        super().connection_lost(exc)

    def replace_cycle(self, current: object, following: RequestResponseCycle) -> None:
        """Put `following` in the place of `current`, but not in that of a request behind it."""
        self._active = following
        if self.cycle is current:
            self.cycle = following

    def abandon(self) -> None:
        """Give up the request whose body cannot be read, which may not have begun."""
        if self._taken is None:
            super().abandon()
        self._taken = None

    def scope_of(self, target: bytes) -> dict[str, Any]:
        """Return ASGI's scope for requests of this connection to `target`, without their headers."""
        scope = self._scopes.get(target)
        if scope is None:
            scope = self._scopes[target] = {
                "type": "http",
                "method": "POST",
                "path": target.decode("ascii"),
                "http_version": "1.1",
                "scheme": self.scheme,
                "client": self.client,
                "server": self.server,
            }
        return scope

    def _begin_ordinary(self) -> None:
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()


class _Exchange:
    """One request on the short way, in the place where uvicorn keeps its cycle."""

    def __init__(self, protocol: DirectProtocol, *, keep_alive: bool) -> None:
        self._protocol = protocol
        self._task: asyncio.Task[None] | None = None
        self.keep_alive = keep_alive
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NOBODY

    def begin(self, direct: Direct, target: bytes, headers: RawHeaders, body: bytes) -> None:
        """Start to answer."""
        protocol = self._protocol
        task = protocol.loop.create_task(self._run(direct, protocol.scope_of(target), headers, body))
        protocol.tasks.add(task)
        self._task = task

    async def _run(self, direct: Direct, scope: dict[str, Any], headers: RawHeaders, body: bytes) -> None:
        try:
            await direct.answer(scope, headers, body, self)
        except Exception as error:
            self._protocol.logger.error("the short way failed", exc_info=error)
        finally:
            self._forget(self._task)
            if not self.response_complete:  # half an answer must not look like a whole one
                self._protocol.transport.close()

    def write(self, message: bytes) -> None:
        """Send the whole answer."""
        protocol = self._protocol
        self.response_complete = True
        protocol.transport.write(message)
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()

    def conversation(self) -> Send:
        """Return the send of a cycle of uvicorn's, which does the framing."""
        protocol = self._protocol
        cycle = RequestResponseCycle(
            scope={"method": "POST"},  # type: ignore[typeddict-item]  # all that it asks for
            transport=protocol.transport,
            flow=protocol.flow,
            logger=protocol.logger,
            access_logger=protocol.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=self.keep_alive,
            on_response=self._complete,
        )
        protocol.replace_cycle(self, cycle)
        return cast("Send", cycle.send)

    def stop(self) -> None:
        """Stop the work, if it is not done."""
        self.disconnected = True
        if self._task is not None:
            self._task.add_done_callback(self._forget)  # one that has not begun never gets to its end
            self._task.cancel()

    def _complete(self) -> None:
        self.response_complete = True
        self._protocol.on_response_complete()

    def _forget(self, task: asyncio.Task[None] | None) -> None:
        self._task = None
        if task is not None:
            self._protocol.tasks.discard(task)


class _Nobody:
    def set(self) -> None:
        """Nobody waits for a message."""


_NOBODY: Any = _Nobody()

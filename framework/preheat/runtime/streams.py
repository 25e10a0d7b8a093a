"""A predict that yields, as the bytes of an answer: server-sent events or JSON lines, one for each item."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from preheat.errors import DeadlineExceeded, RequestError
from preheat.interface.problem import problem_document
from preheat.runtime.items import DONE, Items

SSE_TYPE = "text/event-stream"
LINES_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How one item, and a failure half-way, look on the wire."""

    content_type: str
    before: bytes
    after: bytes
    error: Callable[[bytes], bytes]

    def item(self, text: bytes) -> bytes:
        """Return one item, which is a line of JSON."""
        return self.before + text + self.after


SSE = Framing(
    content_type=SSE_TYPE,
    before=b"data: ",
    after=b"\n\n",
    error=lambda problem: b"event: error\ndata: " + problem + b"\n\n",
)
LINES = Framing(
    content_type=LINES_TYPE, before=b"", after=b"\n", error=lambda problem: b'{"error": ' + problem + b"}\n"
)


def framing_for(accept: str) -> Framing:
    """Return the framing that a caller who sends `accept` asks for."""
    return SSE if SSE_TYPE in accept.lower() else LINES


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRules:
    """What a stream needs to know of its request. `deadline` is a time of the event loop.

    `translate` makes the caller's error of an exception, `finished` is called exactly once.
    """

    framing: Framing
    encode: Callable[[Any], bytes]
    translate: Callable[[Exception], RequestError]
    deadline: float
    request_id: str
    finished: Callable[[], None]


class StreamBody(AsyncIterator[bytes]):
    """The chunks of one streamed answer, the first item of which is already there.

    A failure half-way is one last record in the stream, then an exception, so that the transport
    breaks off and nobody takes half an answer for a whole one. At the deadline the generator is
    closed even when the caller does not read.
    """

    def __init__(self, items: Items, first: Any, rules: StreamRules) -> None:
        self._items = items
        self._buffered = [first]
        self._rules = rules
        self._error: RequestError | None = None
        self._reading = False
        self._closing: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_at(rules.deadline, self._expire)

    async def __anext__(self) -> bytes:
        if self._closing is not None:
            if self._error is not None:
                raise self._error
            raise StopAsyncIteration
        self._reading = True
        try:
            async with asyncio.timeout_at(self._rules.deadline):
                item = self._buffered.pop() if self._buffered else await self._items.next()
            if item is not DONE:
                return self._rules.framing.item(self._rules.encode(item))
        except TimeoutError:
            return self._fail(DeadlineExceeded("The stream did not end within its time limit."))
        except asyncio.CancelledError:
            self._close()
            raise
        except Exception as exc:  # noqa: BLE001 - the boundary of one request
            return self._fail(self._rules.translate(exc))
        finally:
            self._reading = False
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop the generator: its `finally` blocks have run when this returns."""
        await asyncio.shield(self._close())

    def _close(self) -> asyncio.Task[None]:
        # A task, because a call that outlives its deadline must not hold up the answer that says so.
        if self._closing is None:
            self._timer.cancel()
            self._closing = asyncio.get_running_loop().create_task(self._items.close())
            self._closing.add_done_callback(lambda _: self._rules.finished())
        return self._closing

    def _fail(self, error: RequestError) -> bytes:
        self._error = error
        self._close()
        problem = problem_document(error, request_id=self._rules.request_id)
        return self._rules.framing.error(json.dumps(problem).encode())

    def _expire(self) -> None:
        if not self._reading:
            self._error = DeadlineExceeded("The stream was not read within its time limit.")
            self._close()

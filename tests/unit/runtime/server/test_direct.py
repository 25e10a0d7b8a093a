"""The short way: a request that arrives whole is answered as the same one is in pieces, and no worse."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import Any

import pytest
from tests.fakes.engine import FakeEngine, Stalled, Stream, echo
from tests.fakes.patience import PATIENCE_S
from tests.fakes.raw_http import connected
from tests.fakes.surface import only_token, surface

from preheat.errors import HandlerFailed, Overloaded
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.metrics import Metrics
from preheat.runtime.server.http import Endpoint
from preheat_providers.local.supervisor.gateway import bind


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), PATIENCE_S))

    return run


def post(body: bytes, *headers: bytes, target: bytes = b"/invocations", close: bool = False) -> bytes:
    lines = [
        b"POST " + target + b" HTTP/1.1",
        b"host: x",
        b"content-type: application/json",
        b"content-length: %d" % len(body),
        *headers,
        *([b"connection: close"] if close else []),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Server:
    """An endpoint over a fake engine; `app` counts what went through ASGI."""

    def __init__(self, engine: FakeEngine | None = None, **overrides: Any) -> None:
        self.engine = engine or FakeEngine()
        self.app = surface(self.engine, **overrides)
        self.through_asgi = 0
        self._begun = asyncio.Event()
        self.endpoint = Endpoint(self)
        self.port = 0

    @property
    def state(self) -> Any:
        return self.app.state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.through_asgi += 1
        self._begun.set()
        await self.app(scope, receive, send)

    async def __aenter__(self) -> "Server":
        self.port = await self.endpoint.start(bind(0))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.endpoint.stop(1)

    def connect(self) -> AbstractAsyncContextManager[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        return connected(self.port)

    async def talk(self, *parts: bytes) -> bytes:
        """Send the parts one by one, and return what comes until the connection closes."""
        async with self.connect() as (reader, writer):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.02)
            return await reader.read()

    async def talk_through_asgi(self, first: bytes, rest: bytes) -> bytes:
        """Send a request in two parts, the rest when ASGI has the first, and return what comes."""
        async with self.connect() as (reader, writer):
            writer.write(first)
            await self._begun.wait()
            writer.write(rest)
            return await reader.read()


def anonymous(answer: bytes) -> list[bytes]:
    """The answer without what differs from one to the next, headers sorted."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    kept = [line for line in headers if not line.startswith(b"x-request-id")]
    return [status, *sorted(kept), re.sub(rb"urn:preheat:request:\w+", b"urn", body)]


async def overloaded(request: Request) -> Response:
    return problem_response(Overloaded("Too many.", retry_after_s=7), request_id=request.id)


async def broken(request: Request) -> Response:
    raise HandlerFailed("It broke.")


async def unexpected(request: Request) -> Response:
    raise ZeroDivisionError


async def told(request: Request) -> Response:
    return Response(body=b"1", queue_ms=1.5, model_ms=2.25, batch_size=3, headers={"X-Preheat-Release": "4"})


@pytest.mark.parametrize("answer", [echo, overloaded, broken, unexpected, told])
@pytest.mark.parametrize(
    "headers",
    [
        (),
        (b"x-preheat-timeout-s: never",),
        (b"content-encoding: gzip",),
        (b"authorization: Bearer let-me-in",),
        (b"x-preheat-tenant: a", b"x-preheat-tenant: b"),
    ],
)
@on_a_loop
async def test_a_request_gets_the_same_answer_whole_and_in_pieces(
    answer: Any, headers: tuple[bytes, ...]
) -> None:
    async with Server(FakeEngine(answer)) as server:
        request = post(b'{"text": "hello"}', *headers, close=True)
        whole = await server.talk(request)
        assert server.through_asgi == 0
        pieces = await server.talk_through_asgi(request[:-5], request[-5:])
        assert server.through_asgi == 1
    assert anonymous(whole) == anonymous(pieces)
    assert re.search(rb"\r\nx-request-id: \w+\r\n", whole)
    if len(server.engine.requests) == 2:
        first, second = server.engine.requests
        assert (first.body, first.headers, first.accept) == (second.body, second.headers, second.accept)


@on_a_loop
async def test_a_wrong_token_is_refused_on_the_short_way_too() -> None:
    async with Server(authenticate=only_token) as server:
        assert (await server.talk(post(b"1", close=True))).startswith(b"HTTP/1.1 401 ")
        good = post(b"1", b"authorization: Bearer let-me-in", close=True)
        assert (await server.talk(good)).startswith(b"HTTP/1.1 200 ")
    assert len(server.engine.requests) == 1


@on_a_loop
async def test_a_body_above_the_limit_is_refused_on_the_short_way_too() -> None:
    async with Server() as server:
        assert (await server.talk(post(b"1" * 1001, close=True))).startswith(b"HTTP/1.1 413 ")
    assert server.engine.requests == []


@on_a_loop
async def test_requests_of_one_connection_are_answered_in_order_however_they_arrive() -> None:
    async def slower_first(request: Request) -> Response:
        await asyncio.sleep(0.01 if request.body == b"0" else 0)
        return await echo(request)

    async with Server(FakeEngine(slower_first)) as server:
        many = [post(str(number).encode()) for number in range(5)]
        received = await server.talk(
            b"".join(many[:3]), many[3] + many[4][:20], many[4][20:], post(b"5", close=True)
        )
    bodies = [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b"0", b"1", b"2", b"3", b"4", b"5"]


@on_a_loop
async def test_a_request_that_asks_first_is_told_to_go_on() -> None:
    async with Server() as server:
        received = await server.talk(post(b"1", b"expect: 100-continue", close=True))
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")


@on_a_loop
async def test_another_method_and_another_path_go_the_ordinary_way() -> None:
    async with Server() as server:
        get = b"GET /invocations HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        assert (await server.talk(get)).startswith(b"HTTP/1.1 405 ")
        assert (await server.talk(post(b"1", target=b"/nowhere", close=True))).startswith(b"HTTP/1.1 404 ")
        assert server.through_asgi == 2


@on_a_loop
async def test_a_client_that_leaves_stops_the_work() -> None:
    stalled = Stalled()
    async with Server(FakeEngine(stalled)) as server:
        async with server.connect() as (_, writer):
            writer.write(post(b"1"))
            await stalled.begun.wait()
        await stalled.cancelled.wait()


@on_a_loop
async def test_a_client_that_leaves_stops_a_stream() -> None:
    stream = Stream()
    async with Server(FakeEngine(stream)) as server:
        async with server.connect() as (reader, writer):
            writer.write(post(b"1"))
            head = await reader.readuntil(b"data: 1\n\n")
            assert b"transfer-encoding: chunked" in head
            assert b"x-request-id: " in head
        await stream.closed.wait()


@on_a_loop
async def test_a_stream_ends_and_the_connection_goes_on() -> None:
    async def three(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"%d\n" % number

        return Response(content_type="application/x-ndjson", chunks=chunks())

    async with Server(FakeEngine(three)) as server:
        received = await server.talk(post(b"1") + post(b"2", close=True))
    assert received.count(b"2\r\n0\n\r\n2\r\n1\n\r\n2\r\n2\n\r\n0\r\n\r\n") == 2


@on_a_loop
async def test_a_stream_that_breaks_off_has_no_end() -> None:
    async def half(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"1\n"
            raise HandlerFailed("It broke.")

        return Response(content_type="application/x-ndjson", chunks=chunks())

    async with Server(FakeEngine(half)) as server:
        received = await server.talk(post(b"1"))
    assert received.endswith(b"2\r\n1\n\r\n")


@pytest.mark.parametrize("media_type", ["text/plain\r\nset-cookie: a=b", "text/\N{SNOWMAN}"])
@on_a_loop
async def test_a_header_that_is_none_is_a_failure_of_ours_and_not_sent(media_type: str) -> None:
    async def forged(request: Request) -> Response:
        return Response(content_type=media_type, body=b"1")

    async with Server(FakeEngine(forged)) as server:
        received = await server.talk(post(b"1", close=True))
    assert received.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in received


@on_a_loop
async def test_stopping_lets_the_short_way_finish_and_closes_behind_it() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        entered.set()
        await leave.wait()
        return await echo(request)

    async with Server(FakeEngine(slow)) as server:
        call = asyncio.create_task(server.talk(post(b"1")))
        await entered.wait()
        stopping = asyncio.create_task(server.endpoint.stop(5))
        await asyncio.sleep(0)
        leave.set()
        await stopping
        answer = await call
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer


@on_a_loop
async def test_it_is_counted_as_any_other() -> None:
    metrics = Metrics()
    async with Server(metrics=metrics) as server:
        await server.talk(post(b"1") + post(b"2") + post(b"x" * 2000, close=True))
    text = metrics.render()[1].decode()
    assert 'preheat_requests_total{outcome="ok",route="/invocations"} 2.0' in text
    assert 'preheat_requests_total{outcome="rejected",route="/invocations"} 1.0' in text


@on_a_loop
async def test_an_older_client_goes_the_ordinary_way() -> None:
    async with Server() as server:
        answer = await server.talk(post(b"1").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert server.through_asgi == 1


@on_a_loop
async def test_stopping_lets_a_stream_end_and_closes_behind_it() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"1\n"
            entered.set()
            await leave.wait()
            yield b"2\n"

        return Response(content_type="application/x-ndjson", chunks=chunks())

    async with Server(FakeEngine(slow)) as server:
        call = asyncio.create_task(server.talk(post(b"1") + post(b"2")))
        await entered.wait()
        stopping = asyncio.create_task(server.endpoint.stop(5))
        await asyncio.sleep(0)
        leave.set()
        await stopping
        assert b"2\r\n2\n\r\n0\r\n\r\n" in await call


@on_a_loop
async def test_stopping_during_a_stream_takes_no_further_request() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            entered.set()
            await leave.wait()
            yield b"1\n"

        return Response(content_type="application/x-ndjson", chunks=chunks())

    async with Server(FakeEngine(slow)) as server, server.connect() as (reader, writer):
        writer.write(post(b"1"))
        await entered.wait()
        for connection in server.endpoint._connections():
            connection.leave()
        leave.set()
        assert (await reader.read()).endswith(b"2\r\n1\n\r\n0\r\n\r\n")

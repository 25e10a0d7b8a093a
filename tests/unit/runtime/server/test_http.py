import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

import pytest
from tests.fakes.advancing_loop import advance, run_advancing
from tests.fakes.patience import PATIENCE_S
from tests.fakes.raw_http import connected

from preheat.runtime.server.bounds import Bounds
from preheat.runtime.server.http import Endpoint
from preheat_providers.local.supervisor.gateway import bind


def on_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        run_advancing(asyncio.wait_for(test(), PATIENCE_S))

    del run.__wrapped__
    return run


async def hello(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi", "more_body": False})


async def talk(port: int, *parts: bytes) -> bytes:
    async with connected(port) as (reader, writer):
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await reader.read()


@asynccontextmanager
async def serving(endpoint: Endpoint) -> AsyncIterator[int]:
    """Serve on a free port, and yield it."""
    try:
        yield await endpoint.start(bind(0))
    finally:
        await endpoint.stop(1)


GET = b"GET / HTTP/1.1\r\nhost: x\r\n"
CLOSE = b"connection: close\r\n\r\n"


@on_a_loop
async def test_it_serves_its_application_which_may_be_replaced() -> None:
    endpoint = Endpoint(hello)
    async with serving(endpoint) as port:
        assert (await talk(port, GET + CLOSE)).endswith(b"hi")

        async def other(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        endpoint.app = other
        assert (await talk(port, GET + CLOSE)).startswith(b"HTTP/1.1 204 ")


@on_a_loop
async def test_a_head_that_does_not_end_is_a_408() -> None:
    endpoint = Endpoint(hello, bounds=Bounds(head_s=2))
    async with serving(endpoint) as port:
        answer = await talk(port, GET, b"x-slow: 1\r\n")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 408


@on_a_loop
async def test_a_connection_that_says_nothing_is_closed() -> None:
    endpoint = Endpoint(hello, bounds=Bounds(head_s=0.05))
    async with serving(endpoint) as port:
        assert await talk(port) == b""


@on_a_loop
async def test_the_deadline_holds_for_each_request_of_a_connection_and_not_for_its_body() -> None:
    entered = asyncio.Event()

    async def enter(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await hello(scope, receive, send)

    endpoint = Endpoint(enter, bounds=Bounds(head_s=10))
    async with serving(endpoint) as port, connected(port) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na")
        await entered.wait()
        advance(10)
        await asyncio.sleep(0.01)
        writer.write(b"b" + GET)
        assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200 ")
        advance(10)
        rest = await reader.read()
    assert rest.startswith(b"HTTP/1.1 408 ")


@on_a_loop
async def test_a_head_without_end_is_a_431() -> None:
    endpoint = Endpoint(hello)
    async with serving(endpoint) as port:
        answer = await talk(port, GET, b"x-large: " + b"x" * (Bounds().head_bytes + 1))
        assert answer.startswith(b"HTTP/1.1 431 ")


@on_a_loop
async def test_stopping_lets_a_request_in_hand_be_answered() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await leave.wait()
        await hello(scope, receive, send)

    endpoint = Endpoint(slow)
    async with serving(endpoint) as port:
        call = asyncio.create_task(talk(port, GET + b"\r\n"))
        await entered.wait()
        stopping = asyncio.create_task(endpoint.stop(5))
        await asyncio.sleep(0)
        leave.set()
        await stopping
        answer = await call
        assert answer.endswith(b"hi")
        assert b"connection: close" in answer
        with pytest.raises(OSError, match="Connect call failed"):
            await talk(port, GET + CLOSE)


@on_a_loop
async def test_stopping_waits_no_longer_than_its_limit() -> None:
    entered = asyncio.Event()

    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await hello(scope, receive, send)

    endpoint = Endpoint(stuck)
    async with serving(endpoint) as port:
        call = asyncio.create_task(talk(port, GET + b"\r\n"))
        await entered.wait()
        await endpoint.stop(0.01)
        await call


@on_a_loop
async def test_a_connection_that_another_process_accepted_is_served_and_its_end_is_told() -> None:
    closed = asyncio.Event()
    endpoint = Endpoint(hello, on_closed=closed.set)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    await endpoint.adopt(theirs)
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        writer.write(GET + CLOSE)
        assert (await reader.read()).endswith(b"hi")
    finally:
        writer.close()
    await closed.wait()
    assert await endpoint.stop(1) == 0


@on_a_loop
async def test_stopping_gives_an_idle_connection_time_for_the_request_that_may_be_on_its_way() -> None:
    endpoint = Endpoint(hello)
    async with serving(endpoint) as port, connected(port) as (reader, writer):
        writer.write(GET + b"\r\n")
        assert b"connection: close" not in await reader.readuntil(b"hi")
        stopping = asyncio.create_task(endpoint.stop(5, idle_s=5))
        await asyncio.sleep(0)
        writer.write(GET + b"\r\n")
        answer = await reader.read()
        assert answer.endswith(b"hi")
        assert b"connection: close" in answer
        assert await stopping == 0


@on_a_loop
async def test_stopping_closes_a_connection_that_stays_idle() -> None:
    endpoint = Endpoint(hello)
    async with serving(endpoint) as port, connected(port) as (reader, writer):
        writer.write(GET + b"\r\n")
        await reader.readuntil(b"hi")
        await endpoint.stop(5, idle_s=0.01)
        assert await reader.read() == b""


@on_a_loop
async def test_stopping_answers_what_has_connected_and_was_not_accepted() -> None:
    endpoint = Endpoint(hello)
    listener = bind(0)
    port = await endpoint.start(listener)
    with socket.create_connection(("127.0.0.1", port)) as early:  # the loop has not run since
        early.sendall(GET + CLOSE)
        await endpoint.stop(5, idle_s=5)
        assert early.recv(1000).startswith(b"HTTP/1.1 200 ")


@on_a_loop
async def test_stopping_says_how_many_requests_it_cut_off() -> None:
    entered = asyncio.Event()

    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await asyncio.Event().wait()

    endpoint = Endpoint(stuck)
    async with serving(endpoint) as port:
        call = asyncio.create_task(talk(port, GET + b"\r\n"))
        await entered.wait()
        assert await endpoint.stop(0.01) == 1
        await call

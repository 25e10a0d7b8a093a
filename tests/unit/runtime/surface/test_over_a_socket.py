"""What only a real server and a real socket show."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp
from tests.fakes.engine import FakeEngine, Stalled, Stream
from tests.fakes.raw_http import connected
from tests.fakes.surface import only_token, surface

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
    task = asyncio.ensure_future(server.serve([listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest.mark.parametrize(
    ("fields", "overrides", "status", "said"),
    [
        (b"", {}, 413, b"exceeds the limit of 1000 bytes"),
        (b"Connection: close\r\n", {"authenticate": only_token}, 401, b"The token is missing or wrong"),
    ],
)
async def test_a_refused_upload_still_gets_its_answer_while_the_client_sends(
    fields: bytes, overrides: dict[str, Any], status: int, said: bytes
) -> None:
    async with serving(surface(**overrides)) as port, connected(port) as (reader, writer):
        writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\n%bContent-Length: 4000000\r\n\r\n" % fields)
        with contextlib.suppress(ConnectionError):
            for _ in range(40):
                writer.write(b"x" * 100_000)
                await writer.drain()
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in answer
    assert said in answer


async def test_a_client_that_waits_to_be_asked_is_refused_without_being_asked() -> None:
    async with serving(surface()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n"
        )
        first = await reader.readline()
        writer.close()
    assert first.startswith(b"HTTP/1.1 413 ")


async def test_slow_clients_hold_up_nobody_and_are_cut_off() -> None:
    async with serving(surface(body_s=0.3)) as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        for _, writer in slow:
            writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        assert [await reader.readline() for reader, _ in slow] == [b"HTTP/1.1 408 Request Timeout\r\n"] * 50
        for _, opened in [*slow, (reader, writer)]:
            opened.close()


async def test_closing_the_socket_cancels_the_work() -> None:
    stalled = Stalled()
    async with serving(surface(FakeEngine(stalled))) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        await stalled.begun.wait()
        writer.close()
        await stalled.cancelled.wait()


async def test_a_stream_goes_no_faster_than_the_socket_is_read() -> None:
    stream = Stream()
    async with serving(surface(FakeEngine(stream))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        await reader.readuntil(b"data: 1\n\n")
        made = -1
        while made != stream.made:
            made = stream.made
            await asyncio.sleep(0.1)
        writer.close()
        await stream.closed.wait()

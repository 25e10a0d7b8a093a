"""What one connection may do, and how many of them there may be."""

import asyncio
import json
import resource
import socket
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest
from tests.fakes.advancing_loop import advance, run_advancing
from tests.fakes.engine import FakeEngine, Stalled, echo
from tests.fakes.patience import PATIENCE_S
from tests.fakes.raw_http import chunked, connected, exchange, request, split_answers
from tests.fakes.surface import surface

from preheat.interface.message import Request, Response
from preheat.runtime.server.bounds import CONNECTIONS, SPARE, Bounds
from preheat.runtime.server.http import Endpoint
from preheat.runtime.server.listening import bind
from preheat.runtime.surface.boundary import LINGER_S

GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        run_advancing(asyncio.wait_for(test(*args, **kwargs), PATIENCE_S))

    return run


class Served:
    """A surface over a fake engine; `closed` counts the connections that have ended."""

    def __init__(self, engine: FakeEngine | None = None, **bounds: Any) -> None:
        self.engine = engine or FakeEngine()
        self.closed = asyncio.Semaphore(0)
        app = surface(self.engine)
        self.endpoint = Endpoint(app, bounds=Bounds(**bounds), on_closed=self.closed.release)

    async def __aenter__(self) -> int:
        return await self.endpoint.start(bind("127.0.0.1", 0, hint=""))

    async def __aexit__(self, *exc: object) -> None:
        await self.endpoint.stop(1)


class Gate:
    """An engine's answer that waits until it is opened."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, asked: Request) -> Response:
        self.entered.set()
        await self.open.wait()
        return await echo(asked)


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Let seconds pass until the server closes; return what it sent."""
    reading = asyncio.create_task(reader.read())
    while not reading.done():
        advance(1)
        await asyncio.sleep(0.001)
    return await reading


def statuses(received: bytes) -> list[int]:
    return [answer.status for answer in split_answers(received)]


@pytest.mark.parametrize("spoilt", [b"garbage\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", chunked(b"z\r\n")])
@pytest.mark.parametrize("first", [request(b"1"), GET])
@on_a_loop
async def test_a_refusal_waits_for_the_answers_before_it(first: bytes, spoilt: bytes) -> None:
    served = Served()
    async with served as port:
        assert statuses(await exchange(port, first + request(b"2") + spoilt + GET)) == [200, 200, 400]
    assert [asked.body for asked in served.engine.requests if asked.body != b"1"] == [b"2"]


@on_a_loop
async def test_a_refusal_waits_for_an_answer_that_takes_its_time() -> None:
    gate = Gate()
    async with Served(FakeEngine(gate)) as port:
        talk = asyncio.create_task(exchange(port, request(b"1"), b"garbage\r\n\r\n"))
        await gate.entered.wait()
        await asyncio.sleep(0.05)
        assert not talk.done()
        gate.open.set()
        assert statuses(await talk) == [200, 400]


@on_a_loop
async def test_a_body_that_turns_out_broken_is_refused_and_reaches_no_engine() -> None:
    served = Served()
    async with served as port:
        assert statuses(await exchange(port, chunked(b"1\r\n1\r\n"), b"z\r\n")) == [400]
    assert served.engine.requests == []


@on_a_loop
async def test_what_stands_behind_a_body_is_no_part_of_the_head() -> None:
    served = Served()
    async with served as port:
        trailed = chunked(b"1\r\n1\r\n0\r\ncontent-type: text/html\r\nx-preheat-a: b\r\n\r\n")
        async with connected(port) as (reader, writer):
            writer.write(trailed)
            await reader.readuntil(b"\r\n\r\n1")
    assert served.engine.requests[0].content_type == "application/json"
    assert dict(served.engine.requests[0].headers) == {}


@on_a_loop
async def test_what_stands_behind_a_wish_for_another_protocol_is_checked_as_ever() -> None:
    async with Served() as port:
        wish = request(b"", b"connection: upgrade", b"upgrade: h2c", target=b"/healthz")
        assert statuses(await exchange(port, wish + GET.replace(b"host: x\r\n", b""))) == [405, 400]


@pytest.mark.parametrize("cut", [0, 30, 200])
@on_a_loop
async def test_a_wish_for_another_protocol_is_ignored(cut: int) -> None:
    served = Served()
    async with served as port:
        wish = request(
            b"12", b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: AAMA"
        )
        sent = wish + request(b"3", b"connection: close")
        assert statuses(await exchange(port, sent[:cut], sent[cut:])) == [200, 200]
    assert [asked.body for asked in served.engine.requests] == [b"12", b"3"]


@on_a_loop
async def test_the_rest_of_a_body_that_was_not_needed_is_waited_for_so_long_and_no_longer() -> None:
    async with Served(head_s=10, idle_s=1000) as port, connected(port) as (reader, writer):
        writer.write(request(b"1" * 10, target=b"/nowhere")[:-5])
        assert b" 404 " in await reader.readuntil(b"\r\n")
        assert b"HTTP/1.1 " not in await rest_of(reader)


@pytest.mark.parametrize("passed_s", [0, LINGER_S])
@on_a_loop
async def test_a_connection_goes_on_behind_a_body_that_was_not_needed_and_is_then_idle(
    passed_s: float,
) -> None:
    async with Served(head_s=1000, idle_s=10) as port, connected(port) as (reader, writer):
        message = request(b"1" * 10, target=b"/nowhere")
        for following in (GET, b""):
            writer.write(message[:-5])
            assert b" 404 " in await reader.readuntil(b"}")
            advance(passed_s)
            await asyncio.sleep(0.01)
            writer.write(message[-5:] + following)
            if following:
                assert statuses(await reader.readuntil(b"}")) == [200]
        assert await rest_of(reader) == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"x: " + b"a" * 1000, 431),
        (b"transfer-encoding: gzip, chunked", 501),
        (b"host: y", 400),
    ],
)
@on_a_loop
async def test_a_head_that_came_whole_is_checked_too(head: bytes, status: int) -> None:
    served = Served(head_bytes=1000)
    async with served as port:
        assert statuses(await exchange(port, request(b"0\r\n\r\n", head, length=False))) == [status]
    assert served.engine.requests == []


@on_a_loop
async def test_half_a_head_is_not_timed_while_the_server_itself_does_not_read() -> None:
    gate = Gate()
    async with Served(FakeEngine(gate), head_s=10) as port, connected(port) as (reader, writer):
        # The second waits for the first, and until then nothing of the third is read.
        writer.write(request(b"1") + request(b"2") + GET[:10])
        await gate.entered.wait()
        advance(10)
        await asyncio.sleep(0.01)
        writer.write(GET[10:])
        gate.open.set()
        received = await reader.readuntil(b'{"status":"alive"}')
        assert statuses(received) == [200, 200, 200]


@on_a_loop
async def test_half_a_head_is_timed_from_when_the_server_reads_again() -> None:
    async with Served(head_s=10, idle_s=60) as port, connected(port) as (reader, writer):
        writer.write(request(b"1") + request(b"2") + GET[:10])
        received = await reader.readuntil(b"\r\n\r\n1") + await reader.readuntil(b"\r\n\r\n2")
        assert statuses(received + await rest_of(reader)) == [200, 200, 408]


@on_a_loop
async def test_a_refused_client_may_go_on_sending_and_still_gets_its_answer() -> None:
    def send_all_and_then_read(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
            for part in (b"garbage\r\n\r\n", *[b"x" * 1_000_000] * 10):
                client.sendall(part)
            return client.recv(10_000)

    async with Served() as port:
        assert statuses(await asyncio.to_thread(send_all_and_then_read, port)) == [400]


@on_a_loop
async def test_more_requests_than_the_bound_on_one_connection_are_refused() -> None:
    served = Served(pipelined=3)
    async with served as port:
        answers = split_answers(await exchange(port, b"".join(request(b"%d" % n) for n in range(10))))
    assert [answer.status for answer in answers] == [200] * 4 + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert len(served.engine.requests) == 4


@on_a_loop
async def test_a_client_that_leaves_stops_the_work_also_with_a_request_behind_it() -> None:
    stalled = Stalled()
    async with Served(FakeEngine(stalled)) as port:
        async with connected(port) as (_, writer):
            message = request(b"11")
            writer.write(message[:-1])
            await asyncio.sleep(0.02)
            writer.write(message[-1:] + GET)
            await stalled.begun.wait()
        await stalled.cancelled.wait()


@on_a_loop
async def test_a_client_that_takes_nothing_is_cut_off() -> None:
    async def large(asked: Request) -> Response:
        return Response(body=b"x" * 20_000_000)

    served = Served(FakeEngine(large), stalled_s=0.3)
    async with served as port:
        with socket.create_connection(("127.0.0.1", port)) as idler:
            idler.sendall(request(b"1", b"connection: close"))
            await served.closed.acquire()
            assert idler.recv(12) == b"HTTP/1.1 200"


@on_a_loop
async def test_a_connection_beyond_the_bound_is_told_so_and_one_that_ends_makes_room() -> None:
    served = Served(connections=2)
    async with served as port:
        async with connected(port), connected(port):
            (answer,) = split_answers(await exchange(port, GET))
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert json.loads(answer.body)["detail"] == "2 connections are open, which is the limit."
            await served.closed.acquire()
        for _ in range(2):
            await served.closed.acquire()
        assert b" 200 " in await exchange(port, GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))


def test_the_bound_leaves_descriptors_to_everything_else() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (SPARE + 50, hard))
        assert Bounds().connections == 50
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CONNECTIONS + SPARE + 1), hard))
        assert Bounds().connections == CONNECTIONS
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

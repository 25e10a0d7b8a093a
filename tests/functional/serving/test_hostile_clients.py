"""Many clients at once that break every rule, beside good ones, against a real server process."""

import asyncio
import json
import random
import struct
import zlib
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.patience import PATIENCE_S
from tests.fakes.raw_http import (
    CLOSE,
    asking,
    chunked,
    connected,
    exchange,
    request,
    split_answers,
)
from tests.fakes.servers import ServerProcess

from preheat.interface.manifest import Limits
from preheat.runtime.server.bounds import SPARE

pytestmark = pytest.mark.runtime

Start = Callable[..., ServerProcess]

COUNTING = """
    from typing import Any
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            self.calls = 0

        def predict(self, given: Any) -> Any:
            self.calls += 1
            return self.calls if given == "calls" else {"echo": given}
    """
STREAMING = """
    from collections.abc import AsyncIterator
    import preheat

    class Model(preheat.Handler):
        async def predict(self, size: int) -> AsyncIterator[str]:
            while True:
                yield "x" * size
    """
BODY_BYTES = 300_000
CLIENTS = 48
GROWTH_KB = 40_000
"""What buffers of so many clients may leave in the allocator."""

GOOD = request(b'"good"')
HEAD = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"
NOT_HTTP = {
    "two framings": (400, request(b"1\r\n1\r\n0\r\n\r\n", b"transfer-encoding: chunked")),
    "two framings, the other way round": (400, chunked(b"0\r\n\r\n", b"content-length: 5")),
    "two lengths": (400, request(b"1", b"content-length: 7")),
    "the same length twice": (400, request(b"1", b"content-length: 1")),
    "a list of lengths": (400, request(b"1", b"content-length: 1, 1", length=False)),
    "a negative length": (400, request(b"1", b"content-length: -1", length=False)),
    "a signed length": (400, request(b"1", b"content-length: +1", length=False)),
    "a hexadecimal length": (400, request(b"1", b"content-length: 0x1", length=False)),
    "a length beyond 64 bits": (400, request(b"1", b"content-length: " + b"9" * 30, length=False)),
    "another coding": (501, request(b"1", b"transfer-encoding: gzip", length=False)),
    "another coding below": (501, request(b"0\r\n\r\n", b"transfer-encoding: gzip, chunked", length=False)),
    "a coding that looks like chunked": (501, request(b"1", b"transfer-encoding: xchunked", length=False)),
    "chunked twice": (400, chunked(b"1\r\n1\r\n0\r\n\r\n", b"transfer-encoding: chunked")),
    "chunked in HTTP/1.0": (400, chunked(b"1\r\n1\r\n0\r\n\r\n").replace(b"/1.1", b"/1.0")),
    "a space before the colon": (400, request(b"1", b"transfer-encoding : chunked")),
    "a chunk size that is none": (400, chunked(b"z\r\n1\r\n0\r\n\r\n")),
    "a negative chunk size": (400, chunked(b"-1\r\n1\r\n0\r\n\r\n")),
    "a chunk size with a prefix": (400, chunked(b"0x1\r\n1\r\n0\r\n\r\n")),
    "a chunk size beyond 64 bits": (400, chunked(b"f" * 17 + b"\r\n1\r\n0\r\n\r\n")),
    "a chunk that goes on": (400, chunked(b"1\r\n12\r\n0\r\n\r\n")),
    "chunks with bare line feeds": (400, chunked(b"1\n1\n0\n\n")),
    "bare line feeds": (400, GOOD.replace(b"\r\n", b"\n")),
    "bare carriage returns": (400, GOOD.replace(b"\r\n", b"\r")),
    "NUL in a value": (400, request(b"1", b"x-a: a\0b")),
    "NUL in a name": (400, request(b"1", b"x\0a: b")),
    "NUL in the target": (400, request(b"1", target=b"/\0")),
    "a folded field": (400, request(b"1", b"x-a: a\r\n b")),
    "no name": (400, request(b"1", b": a")),
    "no colon": (400, request(b"1", b"abc")),
    "no host": (400, request(b"1", host=())),
    "two hosts": (400, request(b"1", host=(b"host: a", b"host: b"))),
    "a host that is none": (400, request(b"1", host=(b"host: a b",))),
    "bytes in the target": (400, request(b"1", target=b"/\xff")),
    "a proxy's request": (501, b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "no such version": (505, b"GET / HTTP/2.0\r\nhost: x\r\n\r\n"),
    "no such method": (400, b"FOO / HTTP/1.1\r\nhost: x\r\n\r\n"),
    "TLS": (400, bytes.fromhex("16030100c8010000c40303") + bytes(range(190))),
    "a huge field": (431, HEAD + b"x: " + b"a" * 70_000 + b"\r\n\r\n"),
    "many fields": (431, HEAD + b"".join(b"x-%d: %050d\r\n" % (n, n) for n in range(5000)) + b"\r\n"),
    "a huge target": (431, request(b"1", target=b"/" + b"a" * 100_000)),
}
"""By what is wrong: the status, and bytes behind which the server closes the connection."""
NOT_INPUT = {
    "compressed": (415, request(b"1", b"content-encoding: gzip", CLOSE)),
    "another media type": (415, request(b"1", CLOSE).replace(b"application/json", b"text/html")),
    "another charset": (415, request(b"1", CLOSE).replace(b"/json", b"/json; charset=utf-16")),
    "too large": (413, request(b"1" * (BODY_BYTES + 1), CLOSE)),
    "too large by its length": (413, request(b"1", b"content-length: 9999999999", CLOSE, length=False)),
    "too large in chunks": (413, chunked(b"fffff\r\n" + b"1" * 0xFFFFF + b"\r\n0\r\n\r\n", CLOSE)),
    "deep": (400, request(b"[" * 100_000 + b"]" * 100_000, CLOSE)),
    "deep and cut off": (400, request(b"[" * 100_000, CLOSE)),
    "deep objects": (400, request(b'{"a":' * 50_000, CLOSE)),
    "a huge integer": (400, request(b"1" * 100_000, CLOSE)),
    "a huge exponent": (400, request(b"1e999999", CLOSE)),
    "a key twice": (400, request(b'{"a":1,"a":2}', CLOSE)),
    "half a character": (400, request(b'"\\ud800"', CLOSE)),
    "NaN": (400, request(b"NaN", CLOSE)),
    "no UTF-8": (400, request(b'"\xff"', CLOSE)),
    "UTF-16": (400, request('"a"'.encode("utf-16"), CLOSE)),
    "a NUL": (400, request(b'"\0"', CLOSE)),
    "nothing": (400, request(b"", CLOSE)),
    "no such route": (404, request(b"1", CLOSE, target=b"/nowhere/%00%ff")),
    "no such method of a route": (405, request(b"1", CLOSE, target=b"/ping")),
    "a wrong time limit": (400, request(b"1", b"x-preheat-timeout-s: never", CLOSE)),
}
REFUSED = NOT_HTTP | NOT_INPUT
BROKEN_OFF = [
    b"",
    b"\r\n",
    HEAD[:20],
    HEAD,
    GOOD[:-3],
    chunked(b"ff\r\nabc"),
    GOOD,
    GOOD * 3,
    GOOD * 3 + HEAD,
]
"""What is sent by clients who leave behind it."""


def on_a_loop(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 120))


def in_pieces(message: bytes, chance: random.Random) -> list[bytes]:
    cuts = sorted(chance.sample(range(len(message)), min(len(message), chance.choice([0, 1, 3]))))
    ends = [*cuts, len(message)]
    return [message[start:end] for start, end in zip([0, *cuts], ends, strict=True) if start < end]


def descriptors(server: ServerProcess) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def resident_kb(server: ServerProcess) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def until_closed(server: ServerProcess, wanted: int) -> None:
    """Ask until the server has no more than `wanted` descriptors: it closes each in its own time."""
    async with asyncio.timeout(PATIENCE_S), asking(server.port) as ask:
        while descriptors(server) > wanted + 1:
            assert (await ask(HEAD + b"\r\n"))[0] == 200


def refusal_of(received: bytes, status: int, case: str) -> None:
    (answer,) = split_answers(received)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), case
    problem = json.loads(answer.body)
    assert (problem["status"], problem["type"]) == (status, "about:blank"), case
    assert problem["title"], case
    assert problem["detail"], case


async def bad_client(port: int, chance: random.Random) -> None:
    for case in chance.sample(sorted(REFUSED), len(REFUSED) // 3):
        status, message = REFUSED[case]
        refusal_of(await exchange(port, *in_pieces(message, chance)), status, case)


async def leaving_client(port: int, chance: random.Random) -> None:
    for message in chance.sample(BROKEN_OFF, len(BROKEN_OFF)):
        async with connected(port) as (_, writer):
            writer.write(message)
            await writer.drain()
            if chance.random() < 0.5:
                writer.write_eof()
                await asyncio.sleep(0.01)


async def good_client(port: int, name: int, count: int) -> None:
    async with asking(port) as ask:
        for number in range(count):
            value = json.dumps({"from": name, "number": number, "much": "x" * (number * 397 % 5000)}).encode()
            status, body = await ask(request(value))
            assert (status, json.loads(body)) == (200, {"echo": json.loads(value)})


def test_each_bad_request_gets_its_refusal_and_each_good_one_its_answer(start: Start) -> None:
    server = start(
        "--queue", "128", source=COUNTING, limits=Limits(body_bytes=BODY_BYTES, timeout_s=20, setup_s=20)
    )
    server.until("ready")

    async def all_at_once() -> int:
        port, chance = server.port, random.Random(1)
        good = 60
        clients = [good_client(port, name, good) for name in range(CLIENTS // 3)]
        clients += [bad_client(port, random.Random(seed)) for seed in range(CLIENTS // 2)]
        clients += [leaving_client(port, random.Random(seed)) for seed in range(CLIENTS // 6)]
        chance.shuffle(clients)
        await asyncio.gather(*clients)
        return good * (CLIENTS // 3)

    async def test() -> None:
        await good_client(server.port, 0, 50)
        await all_at_once()
        before, resident = descriptors(server), resident_kb(server)
        answered = await all_at_once()
        await until_closed(server, before)
        _, calls = server.post("calls")
        # Of those who left, some had asked before; nobody else reached the model.
        left = sum(message.count(b'"good"') for message in BROKEN_OFF) * (CLIENTS // 6)
        assert 50 + 2 * answered + 1 <= calls <= 50 + 2 * (answered + left) + 1
        assert resident_kb(server) < resident + GROWTH_KB

    on_a_loop(test())
    assert not [event for event in server.events if event.get("level") == "error"]


def test_what_cannot_be_read_is_refused_behind_the_answers_to_what_came_before_it(start: Start) -> None:
    server = start(
        "--queue", "128", source=COUNTING, limits=Limits(body_bytes=BODY_BYTES, timeout_s=20, setup_s=20)
    )
    server.until("ready")

    async def one(case: str) -> None:
        status, message = NOT_HTTP[case]
        before = [request(b"%d" % number) for number in range(3)]
        received = await exchange(server.port, b"".join(before) + message + request(b'"never"'))
        answers = split_answers(received)
        assert [answer.status for answer in answers] == [200, 200, 200, status], case
        assert [json.loads(answer.body)["echo"] for answer in answers[:3]] == [0, 1, 2], case

    async def test() -> None:
        await asyncio.gather(*map(one, NOT_HTTP))

    on_a_loop(test())
    assert server.post("calls") == (200, 3 * len(NOT_HTTP) + 1)


def test_slow_heads_and_silent_clients_are_cut_off_and_nobody_waits_for_them(start: Start) -> None:
    server = start("--queue", "128", source=COUNTING)
    server.until("ready")
    before = descriptors(server)

    async def drip() -> None:
        received = await exchange(server.port, *[HEAD[at : at + 1] for at in range(len(HEAD))])
        refusal_of(received, 408, "a slow head")

    async def silent() -> None:
        assert await exchange(server.port) == b""

    async def test() -> None:
        slow = [asyncio.create_task(each) for _ in range(CLIENTS // 2) for each in (drip(), silent())]
        await asyncio.gather(*(good_client(server.port, name, 20) for name in range(8)))
        assert not any(each.done() for each in slow)
        await asyncio.gather(*slow)
        await until_closed(server, before)

    on_a_loop(test())


def test_a_client_that_reads_nothing_of_a_stream_stops_only_itself(start: Start) -> None:
    server = start(source=STREAMING)
    server.until("ready")

    async def test() -> None:
        before, resident = descriptors(server), resident_kb(server)
        async with AsyncExitStack() as clients:
            for _ in range(CLIENTS):
                reader, writer = await clients.enter_async_context(connected(server.port, reads=2))
                writer.write(request(b"10000"))
                assert await reader.readexactly(12) == b"HTTP/1.1 200"
            ask = await clients.enter_async_context(asking(server.port))
            for _ in range(100):
                assert (await ask(HEAD + b"\r\n"))[0] == 200
        await until_closed(server, before)
        assert resident_kb(server) < resident + GROWTH_KB

    on_a_loop(test())


def png_header(width: int, height: int) -> bytes:
    """A picture as far as its header goes."""
    written = b"\x89PNG\r\n\x1a\n"
    for kind, content in ((b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", b"")):
        check = zlib.crc32(kind + content)
        written += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
    return written


def test_pictures_that_would_be_huge_cost_nothing(start: Start) -> None:
    source = """
        import preheat

        class Model(preheat.Handler):
            def predict(self, image: preheat.Image) -> int:
                return image.pillow().size[0]
        """
    server = start("--queue", "128", source=source)
    server.until("ready")

    async def one() -> None:
        message = request(png_header(60_000, 60_000), CLOSE).replace(b"application/json", b"image/png")
        refusal_of(await exchange(server.port, message), 413, "a bomb")

    async def test() -> None:
        await one()
        resident = resident_kb(server)
        await asyncio.gather(*(one() for _ in range(CLIENTS)))
        assert resident_kb(server) < resident + GROWTH_KB

    on_a_loop(test())


def test_more_connections_than_the_bound_are_refused_and_the_others_served(start: Start) -> None:
    most = 200
    server = start("--queue", "128", source=COUNTING, descriptors=SPARE + most)
    server.until("ready")

    async def test() -> None:
        before = descriptors(server)
        async with AsyncExitStack() as clients:
            ask = await clients.enter_async_context(asking(server.port))
            assert (await ask(GOOD))[0] == 200
            for _ in range(most - 1):
                await clients.enter_async_context(connected(server.port))
            received = await asyncio.gather(*(exchange(server.port, GOOD) for _ in range(20)))
            for each in received:
                refusal_of(each, 503, "beyond the bound")
                assert split_answers(each)[0].headers["retry-after"] == "1"
            assert (await ask(GOOD))[0] == 200
        await until_closed(server, before)
        await good_client(server.port, 0, 5)

    on_a_loop(test())

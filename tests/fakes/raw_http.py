"""HTTP/1.1 as bytes: requests that no client library would send, and a strict look at what comes back."""

import asyncio
import http.client
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from tests.fakes.patience import PATIENCE_S

JSON = b"content-type: application/json"
CLOSE = b"connection: close"


def request(
    body: bytes,
    *fields: bytes,
    target: bytes = b"/invocations",
    version: bytes = b"1.1",
    host: Sequence[bytes] = (b"host: x",),
    length: bool = True,
) -> bytes:
    """Return a POST with JSON, and with its length unless that is among `fields`."""
    lines = [b"POST %b HTTP/%b" % (target, version), *host, JSON, *fields]
    lines += [b"content-length: %d" % len(body)] if length else []
    return b"\r\n".join([*lines, b"", b""]) + body


def chunked(body: bytes, *fields: bytes) -> bytes:
    """Return a POST whose `body` says itself what its chunks are."""
    return request(body, b"transfer-encoding: chunked", *fields, length=False)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class _Received:
    """What http.client reads from in place of a socket."""

    def __init__(self, stream: BytesIO) -> None:
        self._stream = stream

    def makefile(self, mode: str) -> BytesIO:
        again = BytesIO(self._stream.getvalue())
        again.seek(self._stream.tell())
        self.made = again
        return again


def split_answers(received: bytes, method: str = "POST") -> list[Answer]:
    """Return the answers in `received`, which must be whole answers and nothing else."""
    stream, answers = BytesIO(received), []
    while stream.tell() < len(received):
        source = _Received(stream)
        answer = http.client.HTTPResponse(cast("Any", source), method=method)
        made, close = source.made, source.made.close
        made.close = lambda: None  # type: ignore[method-assign]  # its place is still asked for
        answer.begin()
        body = answer.read()
        answers.append(Answer(answer.status, answer.headers, body))
        stream.seek(made.tell())
        close()
    return answers


@asynccontextmanager
async def connected(
    port: int, *, reads: int = 2**16
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection whose client takes about twice `reads` bytes ahead; it is cut at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=reads)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def exchange(port: int, *parts: bytes) -> bytes:
    """Send `parts` one by one on a connection of its own; return what comes until the server closes it."""
    async with asyncio.timeout(PATIENCE_S), connected(port) as (reader, writer):
        sending = asyncio.create_task(_send(writer, parts))
        try:
            return await reader.read()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(writer: asyncio.StreamWriter, parts: Sequence[bytes]) -> None:
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.001)


Ask = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""Sends one request; returns the status and the body of its answer, which has a length."""


@asynccontextmanager
async def asking(port: int) -> AsyncIterator[Ask]:
    """One connection that asks again and again, as a good client does."""
    async with connected(port) as (reader, writer):

        async def ask(message: bytes) -> tuple[int, bytes]:
            async with asyncio.timeout(PATIENCE_S):
                writer.write(message)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                return int(head.split()[1]), await reader.readexactly(length)

        yield ask

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preheat.errors import BodyTooLarge, HandlerFailed
from preheat.interface.message import Request, Response
from preheat.runtime.wire import (
    BODY,
    END,
    HEAD,
    BrokenFrame,
    FramedChunks,
    frame,
    read_frame,
    read_request,
    read_response,
    write_request,
    write_response,
)

EMPTY_REQUEST = b'{"id": "1", "content_type": "a", "accept": "*/*", "timeout_s": null, "headers": {}}'

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(folder: Path, handle: Handle) -> AsyncIterator[Pair]:
    """A client's end of a connection whose other end `handle` has."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
            await reader.read()
        finally:
            writer.close()
            ended.set()

    async with await asyncio.start_unix_server(serve, folder / "s"):
        reader, writer = await asyncio.open_unix_connection(folder / "s")
        yield reader, writer
        writer.close()
        await ended.wait()


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@asynccontextmanager
async def answered(folder: Path, response: Response) -> AsyncIterator[tuple[Response, asyncio.StreamWriter]]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await write_response(writer, response)

    async with connected(folder, handle) as (reader, writer):
        yield await read_response(reader, writer), writer


@given(
    body=st.binary(max_size=300_000),
    accept=st.text(max_size=20),
    timeout_s=st.none() | st.floats(0.1, 1e6),
    headers=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
)
@settings(max_examples=25, deadline=None)
def test_a_request_arrives_as_it_was_sent(
    body: bytes,
    accept: str,
    timeout_s: float | None,
    headers: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    sent = Request(id="7", body=body, content_type="a/b", accept=accept, timeout_s=timeout_s, headers=headers)

    async def scenario() -> Request | None:
        got: asyncio.Future[Request | None] = asyncio.get_running_loop().create_future()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.set_result(await read_request(reader, max_bytes=400_000))

        async with connected(tmp_path_factory.mktemp("w"), handle) as (_, writer):
            await write_request(writer, sent)
            return await got

    received = asyncio.run(scenario())
    assert received is not None
    assert (received.id, received.body, received.accept, received.timeout_s, dict(received.headers)) == (
        "7",
        body,
        accept,
        timeout_s,
        headers,
    )


def test_an_answer_arrives_with_its_times(tmp_path: Path) -> None:
    sent = Response(
        status=418,
        content_type="x/y",
        body=b"z" * 100_000,
        headers={"a": "b"},
        queue_ms=1.5,
        model_ms=2,
        batch_size=7,
    )

    async def scenario() -> Response:
        async with answered(tmp_path, sent) as (response, _):
            return response

    assert asyncio.run(scenario()) == sent


def test_a_worker_of_an_older_release_has_no_batch_size(tmp_path: Path) -> None:
    head = {
        "status": 200,
        "content_type": "x/y",
        "headers": {},
        "queue_ms": 1.0,
        "model_ms": 2.0,
        "stream": False,
    }

    async def older(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(HEAD, json.dumps(head).encode()) + frame(END))

    async def scenario() -> Response:
        async with connected(tmp_path, older) as (reader, writer):
            return await read_response(reader, writer)

    assert asyncio.run(scenario()).batch_size == 0


async def items(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def test_a_stream_arrives_chunk_by_chunk(tmp_path: Path) -> None:
    async def scenario() -> list[bytes]:
        async with answered(tmp_path, Response(chunks=items(b"a", b"b", b""))) as (response, _):
            assert response.chunks is not None
            return [chunk async for chunk in response.chunks]

    assert asyncio.run(scenario()) == [b"a", b"b"]


def test_a_stream_that_fails_half_way_says_so_after_what_it_sent(tmp_path: Path) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"first"
        raise HandlerFailed("it broke")

    async def scenario() -> None:
        async with answered(tmp_path, Response(chunks=failing())) as (response, _):
            assert response.chunks is not None
            assert await anext(response.chunks) == b"first"
            with pytest.raises(HandlerFailed, match="it broke"):
                await anext(response.chunks)

    asyncio.run(scenario())


def test_closing_an_unfinished_stream_closes_the_connection(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with answered(tmp_path, Response(chunks=items(b"a", b"b"))) as (response, writer):
            assert isinstance(response.chunks, FramedChunks)
            await response.chunks.aclose()
            assert writer.is_closing()

    asyncio.run(scenario())


def test_an_exhausted_stream_leaves_the_connection_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with answered(tmp_path, Response(chunks=items(b"a"))) as (response, writer):
            assert isinstance(response.chunks, FramedChunks)
            assert [chunk async for chunk in response.chunks] == [b"a"]
            await response.chunks.aclose()
            assert not writer.is_closing()

    asyncio.run(scenario())


def test_a_body_over_the_limit_is_refused_and_the_next_request_read() -> None:
    large = frame(HEAD, EMPTY_REQUEST) + frame(BODY, b"x" * 60_000) * 2 + frame(END)
    small = frame(HEAD, EMPTY_REQUEST) + frame(BODY, b"x") + frame(END)

    async def scenario() -> None:
        reader = fed(large + small)
        with pytest.raises(BodyTooLarge, match="120000 bytes; the limit is 100000"):
            await read_request(reader, max_bytes=100_000)
        request = await read_request(reader, max_bytes=100_000)
        assert request is not None
        assert request.body == b"x"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x01\x00", id="half a prefix"),
        pytest.param(frame(HEAD, b"{}")[:-1], id="half a payload"),
        pytest.param(struct.pack("!BI", 9, 0), id="unknown kind"),
        pytest.param(struct.pack("!BI", BODY, 1 << 30), id="huge"),
        pytest.param(frame(BODY, b"x"), id="body before head"),
        pytest.param(frame(HEAD, b"{}"), id="empty head"),
        pytest.param(frame(HEAD, b"[1"), id="no JSON"),
        pytest.param(frame(HEAD, EMPTY_REQUEST) * 2, id="two heads"),
        pytest.param(frame(HEAD, EMPTY_REQUEST), id="no end"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    async def scenario() -> None:
        with pytest.raises(BrokenFrame):
            await read_request(fed(data), max_bytes=10)

    asyncio.run(scenario())


@given(st.binary(max_size=64))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    async def scenario() -> None:
        reader = fed(data)
        try:
            while await read_frame(reader) is not None:
                pass
        except BrokenFrame:
            pass

    asyncio.run(scenario())


def test_an_end_between_two_requests_is_no_error() -> None:
    async def scenario() -> None:
        assert await read_request(fed(b""), max_bytes=1) is None

    asyncio.run(scenario())

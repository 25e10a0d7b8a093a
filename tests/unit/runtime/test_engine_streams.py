"""Answers that come in pieces, from generators and asynchronous ones."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.fakes.advancing_loop import advance
from tests.fakes.engine_bench import Bench, run
from tests.fakes.patience import PATIENCE_S

from preheat import Handler
from preheat.interface.message import Response
from preheat.runtime.wire import close_chunks


class Counts(Handler):
    """Yields the numbers below its input; at 100 fails, at 200 never ends a step."""

    closed = 0
    gate = threading.Event()

    def predict(self, count: int) -> Iterator[int]:
        try:
            for number in range(count):
                yield number
                if count == 100 and number == 1:
                    raise ValueError("half-way")
                if count == 200:
                    self.gate.wait(PATIENCE_S)
        finally:
            self.closed += 1


class CountsAsync(Handler):
    closed = 0

    async def predict(self, count: int) -> AsyncIterator[int]:
        try:
            for number in range(count):
                yield number
                if count == 100 and number == 1:
                    raise ValueError("half-way")
                if count == 200:
                    await asyncio.sleep(60)
        finally:
            self.closed += 1


both = pytest.mark.parametrize("handler", [Counts, CountsAsync])


async def read(response: Response) -> list[bytes]:
    assert response.chunks is not None, response
    return [chunk async for chunk in response.chunks]


@both
def test_a_stream_is_json_lines_or_server_sent_events(handler: type[Handler]) -> None:
    async def scenario(bench: Bench) -> None:
        lines = await bench.ask(2)
        assert lines.content_type == "application/x-ndjson"
        assert await read(lines) == [b"0\n", b"1\n"]
        events = await bench.ask(2, accept="text/event-stream")
        assert events.content_type == "text/event-stream"
        assert await read(events) == [b"data: 0\n\n", b"data: 1\n\n"]
        assert await read(await bench.ask(0)) == []

    run(handler, scenario)


@both
def test_closing_a_stream_runs_the_finally_blocks_of_its_generator(handler: type[Handler]) -> None:
    async def scenario(bench: Bench) -> None:
        response = await bench.ask(5)
        assert response.chunks is not None
        assert await anext(response.chunks) == b"0\n"
        await close_chunks(response.chunks)
        assert bench.model.handler.closed == 1  # type: ignore[attr-defined]
        await bench.engine.drain()

    run(handler, scenario)


@both
def test_a_stream_that_fails_half_way_sends_the_problem_and_breaks_off(handler: type[Handler]) -> None:
    async def scenario(bench: Bench) -> None:
        response = await bench.ask(100)
        assert response.chunks is not None
        chunks = [await anext(response.chunks) for _ in range(3)]
        assert chunks[:2] == [b"0\n", b"1\n"]
        assert json.loads(chunks[2])["error"]["status"] == 500
        with pytest.raises(Exception, match="raised an exception"):
            await anext(response.chunks)
        await bench.engine.drain()

    bench = run(handler, scenario)
    assert "half-way" in bench.log[0]["message"]


@both
def test_a_stream_past_its_deadline_ends_with_the_problem(handler: type[Handler]) -> None:
    async def scenario(bench: Bench) -> None:
        response = await bench.ask(200, timeout_s=30.0, accept="text/event-stream")
        assert response.chunks is not None
        assert await anext(response.chunks) == b"data: 0\n\n"
        following = asyncio.ensure_future(anext(response.chunks))
        await asyncio.sleep(0)
        assert not following.done()
        advance(30)
        last = await following
        assert last.startswith(b"event: error\ndata: {")
        assert json.loads(last.split(b"data: ")[1])["status"] == 504
        Counts.gate.set()
        await bench.engine.drain()
        assert bench.model.handler.closed == 1  # type: ignore[attr-defined]

    Counts.gate.clear()
    run(handler, scenario)


@both
def test_a_stream_that_nobody_reads_is_closed_at_its_deadline(handler: type[Handler]) -> None:
    async def scenario(bench: Bench) -> None:
        response = await bench.ask(5, timeout_s=30.0)
        advance(30)
        await bench.engine.drain()
        assert bench.model.handler.closed == 1  # type: ignore[attr-defined]
        assert response.chunks is not None
        with pytest.raises(Exception, match="not read within"):
            await anext(response.chunks)

    run(handler, scenario)


def test_streams_of_a_sync_handler_take_turns() -> None:
    async def scenario(bench: Bench) -> None:
        first = await bench.ask(2)
        second = asyncio.create_task(bench.ask(2))
        await asyncio.sleep(0.02)
        assert not second.done()
        assert await read(first) == [b"0\n", b"1\n"]
        assert await read(await second) == [b"0\n", b"1\n"]

    run(Counts, scenario)

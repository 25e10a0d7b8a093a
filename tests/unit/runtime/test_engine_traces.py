"""What a handler that makes spans of its own sees: the request that it works for."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from opentelemetry.trace import get_current_span
from tests.fakes.models import model_of
from tests.fakes.telemetry import CALLER, TRACEPARENT

from preheat import Handler, batched
from preheat.interface.message import Request, Response
from preheat.runtime.engine import ModelEngine
from preheat.runtime.model_thread import ModelThread

OTHER = "00-11111111111111111111111111111111-2222222222222222-01"


def current() -> str:
    """Return the id of the span that a span made now would be below."""
    return f"{get_current_span().get_span_context().span_id:016x}"


class Sync(Handler):
    def predict(self, number: int) -> str:
        return current()


class Async(Handler):
    async def predict(self, number: int) -> str:
        await asyncio.sleep(0)
        return current()


class Batched(Handler):
    @batched(max_size=8, max_wait_ms=0)
    def predict(self, numbers: list[int]) -> list[str]:
        return [current() for _ in numbers]


class Stream(Handler):
    def predict(self, number: int) -> Iterator[str]:
        for _ in range(2):
            yield current()


class AsyncStream(Handler):
    async def predict(self, number: int) -> AsyncIterator[str]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield current()


async def read(response: Response) -> list[str]:
    if response.chunks is None:
        return [json.loads(response.body)]
    return [json.loads(chunk) async for chunk in response.chunks]


def ask(handler: type[Handler], traces: Sequence[str | None]) -> list[list[str]]:
    """Send a request for each of `traces`, one after another; return what each was answered."""

    async def main() -> list[list[str]]:
        thread = ModelThread()
        threading.Thread(target=thread.run, daemon=True).start()
        engine = ModelEngine(model_of(handler), thread)
        answers = []
        for trace in traces:
            headers = {"traceparent": trace} if trace else {}
            response = await engine.invoke(Request(body=b"1", id="r1", headers=headers))
            assert response.status == 200
            answers.append(await read(response))
        thread.shutdown()
        return answers

    return asyncio.run(main())


@pytest.mark.parametrize("handler", [Sync, Async, Batched, Stream, AsyncStream])
def test_a_handlers_spans_are_below_their_own_request(handler: type[Handler]) -> None:
    answers = ask(handler, [TRACEPARENT, None, OTHER])
    assert [set(answer) for answer in answers] == [{CALLER}, {"0" * 16}, {"2222222222222222"}]

"""A handler that asks for the Call gets that of its own request, from every engine and across the wire."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from tests.fakes.models import model_of
from tests.fakes.patience import PATIENCE_S
from tests.fakes.telemetry import TRACEPARENT

from preheat import Call, Handler, batched, threaded
from preheat.interface.message import Engine, Request, Response
from preheat.runtime.engine import ModelEngine
from preheat.runtime.loader import Model, warm_up
from preheat.runtime.model_thread import ModelThread
from preheat.runtime.phases import PhaseClock
from preheat.runtime.requests import INFERENCE_ID
from preheat.runtime.serial import SerialEngine, settled
from preheat.runtime.serving import FrameServer
from preheat.runtime.wire import read_response, write_request

Asker = Callable[[Engine], Awaitable[list[Any]]]


def told(number: int, call: Call) -> str:
    return " ".join([str(number), call.id, *(f"{name}={value}" for name, value in call.headers.items())])


class One(Handler):
    def predict(self, number: int, call: Call) -> str:
        return told(number, call)

    def examples(self) -> list[int]:
        return [1]


class Async(Handler):
    async def predict(self, number: int, call: Call) -> str:
        await asyncio.sleep(0)
        return told(number, call)


class Batched(Handler):
    @batched(max_size=8, max_wait_ms=0)
    def predict(self, numbers: list[int], calls: list[Call]) -> list[str]:
        return [told(number, call) for number, call in zip(numbers, calls, strict=True)]

    def examples(self) -> list[int]:
        return [1]


class Sized(Handler):
    @batched(max_size=8, max_wait_ms=0, size=lambda number: number)
    def predict(self, numbers: list[int], calls: list[Call]) -> list[str]:
        return [told(number, call) for number, call in zip(numbers, calls, strict=True)]


class AsyncBatched(Handler):
    @batched(max_size=8, max_wait_ms=0)
    async def predict(self, numbers: list[int], calls: list[Call]) -> list[str]:
        await asyncio.sleep(0)
        return [told(number, call) for number, call in zip(numbers, calls, strict=True)]


class Threaded(Handler):
    @threaded(threads=3)
    def predict(self, number: int, call: Call) -> str:
        return told(number, call)


class Stream(Handler):
    def predict(self, number: int, call: Call) -> Iterator[str]:
        yield told(number, call)


class AsyncStream(Handler):
    async def predict(self, number: int, call: Call) -> AsyncIterator[str]:
        yield told(number, call)

    def examples(self) -> list[int]:
        return [1]


EVERY_WAY = [One, Async, Batched, Sized, AsyncBatched, Threaded, Stream, AsyncStream]
IN_TURN = [One, Batched, Sized, Threaded]
"""What a platform that sends one request at a time runs without an event loop."""


def request(number: int) -> Request:
    headers = MappingProxyType({"x-preheat-tenant": f"t{number}", INFERENCE_ID: f"job-{number}"})
    return Request(id=f"r{number}", body=str(number).encode(), headers=headers)


def expected(number: int) -> str:
    return f"{number} r{number} x-preheat-tenant=t{number} {INFERENCE_ID}=job-{number}"


async def answer(response: Response) -> Any:
    body = response.body
    if response.chunks is not None:
        body = b"".join([chunk async for chunk in response.chunks])
    assert response.status == 200, body
    return json.loads(body)


def served(handler: type[Handler], ask: Asker) -> list[Any]:
    """Return what `ask` gets from an engine with the model of `handler`."""

    async def main() -> list[Any]:
        model, thread = model_of(handler), ModelThread()
        threading.Thread(target=thread.run, args=(model.contract.threads,), daemon=True).start()
        async with asyncio.timeout(PATIENCE_S):
            answers = await ask(ModelEngine(model, thread))
        thread.shutdown()
        return answers

    return asyncio.run(main())


@pytest.mark.parametrize("handler", EVERY_WAY)
def test_each_of_many_requests_comes_with_its_own_call(handler: type[Handler]) -> None:
    async def ask(engine: Engine) -> list[Any]:
        async def one(number: int) -> Any:
            return await answer(await engine.invoke(request(number)))

        return await asyncio.gather(*(one(number) for number in range(12)))

    assert served(handler, ask) == [expected(number) for number in range(12)]


@pytest.mark.parametrize("handler", IN_TURN)
def test_the_engine_without_a_loop_passes_it_too(handler: type[Handler]) -> None:
    class Silent:
        def arm(self, seconds: float) -> None: ...

        def disarm(self) -> None: ...

    engine = SerialEngine(model_of(handler), Silent())
    assert json.loads(settled(engine.invoke(request(7))).body) == expected(7)


@pytest.mark.parametrize("handler", [One, Stream])
def test_it_crosses_the_line_between_the_supervisor_and_a_worker(
    handler: type[Handler], tmp_path: Path
) -> None:
    async def ask(engine: Engine) -> list[Any]:
        ended = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await FrameServer(engine, max_bytes=1000).serve(reader, writer)
            ended.set()

        async with await asyncio.start_unix_server(serve, tmp_path / "s"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            await write_request(writer, request(5))
            answers = [await answer(await read_response(reader, writer))]
            writer.close()
            await ended.wait()
        return answers

    assert served(handler, ask) == [expected(5)]


def test_a_trace_around_predict_does_not_hide_it() -> None:
    import opentelemetry.sdk.trace  # noqa: F401 - from then on every handler may make spans

    async def ask(engine: Engine) -> list[Any]:
        asked = Request(id="r1", body=b"1", headers={"traceparent": TRACEPARENT})
        return [await answer(await engine.invoke(asked))]

    for handler in EVERY_WAY:
        assert served(handler, ask) == [f"1 r1 traceparent={TRACEPARENT}"], handler


@pytest.mark.parametrize("handler", [One, Batched, AsyncStream])
def test_examples_that_warm_up_come_with_a_call_of_nobody(handler: type[Handler]) -> None:
    seen: list[Call] = []

    class Noting(handler):  # type: ignore[valid-type, misc]
        def predict(self, given: Any, call: Any) -> Any:
            seen.extend(call if isinstance(call, list) else [call])
            return super().predict(given, call)

    known = model_of(handler)
    model = Model(handler=Noting(), contract=known.contract, limits=known.limits, context=known.context)
    warm_up(model, PhaseClock(), asyncio.run)
    assert seen == [Call(id="warm-up")]

"""Reading an input that takes long: under the deadline of its request, on a thread that nothing can stop."""

import asyncio
import io
import json
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import PIL.Image
import pytest
from tests.fakes.advancing_loop import advance, run_advancing
from tests.fakes.models import model_of
from tests.fakes.patience import PATIENCE_S

import preheat
from preheat.interface.manifest import Limits
from preheat.interface.message import Request, Response
from preheat.runtime.engine import ASIDE_BYTES, ModelEngine
from preheat.runtime.model_thread import ModelThread


@dataclass
class Slow:
    """An input that is put down in `begun` when its reading begins; that ends when the gate is open."""

    gate: ClassVar[threading.Event]
    begun: ClassVar[list[str]]
    beginnings: ClassVar[threading.Semaphore]
    text: str

    def __post_init__(self) -> None:
        self.begun.append(self.text[:9])
        self.beginnings.release()
        self.gate.wait(PATIENCE_S)


@dataclass
class SlowPicture(Slow):
    picture: preheat.Image


class Reads(preheat.Handler):
    def predict(self, slow: Slow) -> str:
        return slow.text[:9]


class Looks(preheat.Handler):
    def predict(self, slow: SlowPicture) -> str:
        return slow.text


@pytest.fixture(autouse=True)
def gate() -> Iterator[threading.Event]:
    Slow.gate, Slow.begun, Slow.beginnings = threading.Event(), [], threading.Semaphore(0)
    yield Slow.gate
    Slow.gate.set()


class Bench:
    """An engine over one handler whose input is slow to read."""

    def __init__(self, handler: type[preheat.Handler], timeout_s: float) -> None:
        self.thread = ModelThread()
        threading.Thread(target=self.thread.run, name="model", daemon=True).start()
        self.stuck = asyncio.Event()
        self.engine = ModelEngine(
            model_of(handler, limits=Limits(timeout_s=timeout_s)),
            self.thread,
            on_stuck=self.stuck.set,
            log=lambda _: None,
            clock=asyncio.get_running_loop().time,
        )

    async def ask(self, text: str, timeout_s: float | None = None) -> Response:
        return await self._send({"text": text}, timeout_s)

    async def look(self, text: str, timeout_s: float | None = None) -> Response:
        written = io.BytesIO()
        PIL.Image.new("1", (1, 1)).save(written, "PNG")
        picture = {"data": b64encode(written.getvalue()).decode()}
        return await self._send({"text": text, "picture": picture}, timeout_s)

    async def _send(self, value: object, timeout_s: float | None) -> Response:
        body = json.dumps(value).encode()
        return await self.engine.invoke(Request(id="r", body=body, timeout_s=timeout_s))


def run(
    handler: type[preheat.Handler], scenario: Callable[[Bench], Awaitable[None]], timeout_s: float = 60
) -> None:
    async def main() -> None:
        bench = Bench(handler, timeout_s)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await scenario(bench)
        finally:
            Slow.gate.set()
            bench.thread.shutdown()

    run_advancing(main())


async def begun(count: int) -> None:
    """Return when the reading of `count` more inputs has begun."""
    for _ in range(count):
        assert await asyncio.to_thread(Slow.beginnings.acquire, timeout=PATIENCE_S)


LARGE = "x" * (ASIDE_BYTES + 1)


def test_a_large_body_that_is_not_read_in_time_is_a_504_and_never_predicted(gate: threading.Event) -> None:
    async def scenario(bench: Bench) -> None:
        assert (await bench.ask(LARGE, timeout_s=0.05)).status == 504
        gate.set()
        assert (await bench.ask(LARGE)).body == b'"xxxxxxxxx"'
        assert not bench.stuck.is_set()

    run(Reads, scenario)


def test_a_picture_that_is_not_read_in_time_is_a_504(gate: threading.Event) -> None:
    async def scenario(bench: Bench) -> None:
        assert (await bench.look("first", timeout_s=0.05)).status == 504
        gate.set()
        assert (await bench.look("second")).body == b'"second"'
        assert not bench.stuck.is_set()

    run(Looks, scenario)


@pytest.mark.parametrize("handler", [Reads, Looks])
def test_reading_that_outlasts_the_functions_limit_is_reported_stuck(handler: type[preheat.Handler]) -> None:
    async def scenario(bench: Bench) -> None:
        asked = asyncio.create_task(bench.ask(LARGE) if handler is Reads else bench.look("first"))
        await begun(1)
        advance(30)
        assert (await asked).status == 504
        await bench.stuck.wait()

    run(handler, scenario, timeout_s=30)


def test_a_picture_keeps_its_place_until_its_thread_has_ended(gate: threading.Event) -> None:
    async def scenario(bench: Bench) -> None:
        late = [asyncio.create_task(bench.look(name, timeout_s=30)) for name in ("first", "second")]
        await begun(2)
        advance(30)
        assert [answer.status for answer in await asyncio.gather(*late)] == [504, 504]
        assert (await bench.look("third", timeout_s=0.05)).status == 504
        waiting = asyncio.create_task(bench.look("fourth"))
        leaving = asyncio.create_task(bench.look("fifth"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert sorted(Slow.begun) == ["first", "second"], "the model takes one, and one may wait for it"
        gate.set()
        assert (await waiting).body == b'"fourth"'
        assert sorted(Slow.begun) == ["first", "fourth", "second"]

    run(Looks, scenario)


def test_a_caller_who_leaves_while_a_picture_is_read_frees_no_place(gate: threading.Event) -> None:
    async def scenario(bench: Bench) -> None:
        leaving = [asyncio.create_task(bench.look(name)) for name in ("first", "second")]
        await begun(2)
        for task in leaving:
            task.cancel()
        await asyncio.wait(leaving)
        assert (await bench.look("third", timeout_s=0.05)).status == 504
        assert sorted(Slow.begun) == ["first", "second"]
        gate.set()
        assert (await bench.look("fourth")).status == 200

    run(Looks, scenario)

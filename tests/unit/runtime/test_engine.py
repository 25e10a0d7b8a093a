import asyncio
import json
import threading
from collections.abc import Iterator

import pytest
from tests.fakes.advancing_loop import advance
from tests.fakes.clock import HandClock
from tests.fakes.engine_bench import Bench, run
from tests.fakes.models import model_of
from tests.fakes.patience import PATIENCE_S

from preheat import BadInput, Handler, batched, threaded
from preheat.interface.manifest import Limits
from preheat.interface.message import Response
from preheat.runtime.engine import concurrency_of, queue_for


def detail(response: Response) -> str:
    assert response.content_type == "application/problem+json"
    return str(json.loads(response.body)["detail"])


class Double(Handler):
    def predict(self, number: int) -> int:
        return number * 2


def test_an_answer_is_the_encoded_result_of_predict() -> None:
    async def scenario(bench: Bench) -> None:
        response = await bench.ask(21)
        assert (response.status, response.content_type, response.body) == (200, "application/json", b"42")
        assert response.queue_ms >= 0
        assert response.model_ms >= 0

    run(Double, scenario)


def test_what_does_not_fit_the_input_is_a_400_that_points_at_it() -> None:
    async def scenario(bench: Bench) -> None:
        response = await bench.ask("x")
        assert response.status == 400
        assert "integer" in detail(response)

    assert run(Double, scenario).log == []


class Raises(Handler):
    def predict(self, how: str) -> int:
        match how:
            case "value":
                raise ValueError("secret detail")
            case "bad":
                raise BadInput("the picture has no text")
            case "exit":
                raise SystemExit(3)
            case "memory":
                raise MemoryError
            case "stop":
                raise StopIteration
        return "not a number"  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("value", 500, "raised an exception"),
        ("bad", 400, "the picture has no text"),
        ("exit", 500, "tried to end its process"),
        ("memory", 500, "out of memory (limit 512 MB)"),
        ("stop", 500, "raised an exception"),
        ("wrong type", 500, "what its annotation excludes"),
    ],
)
def test_what_predict_raises_is_an_answer_without_internals(how: str, status: int, said: str) -> None:
    async def scenario(bench: Bench) -> None:
        response = await bench.ask(how)
        assert response.status == status
        assert said in detail(response)
        assert "secret" not in detail(response)
        assert (await bench.ask(how)).status == status, "the engine goes on"

    log = run(Raises, scenario, memory_mb=512).log
    if how == "value":
        assert "secret detail" in log[0]["message"]
        assert log[0]["request_id"] == "r1"
        assert 'raise ValueError("secret detail")' in log[0]["traceback"]
        assert "runtime/attempts.py" not in log[0]["traceback"]


class Batched(Handler):
    sizes: list[int]

    def __init__(self) -> None:
        self.sizes = []
        self.gate = threading.Event()
        self.entered = threading.Event()

    @batched(max_size=4, max_wait_ms=1)
    def predict(self, numbers: list[int]) -> list[int]:
        self.entered.set()
        self.gate.wait(PATIENCE_S)
        self.sizes.append(len(numbers))
        if 13 in numbers:
            return numbers[:-1]
        return [ValueError("odd one") if number < 0 else number * 2 for number in numbers]  # type: ignore[misc]


def opened(bench: Bench) -> Batched:
    handler = bench.model.handler
    assert isinstance(handler, Batched)
    handler.gate.set()
    return handler


def test_requests_that_queue_while_a_batch_runs_run_together_in_order() -> None:
    async def scenario(bench: Bench) -> None:
        asking = [asyncio.create_task(bench.ask(number)) for number in range(6)]
        await asyncio.sleep(0)
        handler = opened(bench)
        answers = [json.loads((await task).body) for task in asking]
        assert answers == [0, 2, 4, 6, 8, 10]
        assert max(handler.sizes) == 4
        assert sum(handler.sizes) == 6

    run(Batched, scenario)


def test_an_exception_in_a_place_of_a_batch_fails_that_request_alone() -> None:
    async def scenario(bench: Bench) -> None:
        asking = [asyncio.create_task(bench.ask(number)) for number in (1, -1, 2)]
        opened(bench)
        assert [(await task).status for task in asking] == [200, 500, 200]

    bench = run(Batched, scenario)
    assert "odd one" in bench.log[0]["message"]


def test_a_wrong_number_of_results_fails_the_batch_and_says_so_in_the_log() -> None:
    async def scenario(bench: Bench) -> None:
        opened(bench)
        assert (await bench.ask(13)).status == 500

    assert "predict returned 0 results for 1 inputs" in run(Batched, scenario).log[0]["message"]


def test_a_request_that_is_cancelled_in_the_queue_never_runs() -> None:
    async def scenario(bench: Bench) -> None:
        first = asyncio.create_task(bench.ask(1))
        handler = bench.model.handler
        assert isinstance(handler, Batched)
        assert await asyncio.to_thread(handler.entered.wait, PATIENCE_S)
        second = asyncio.create_task(bench.ask(2))
        await asyncio.sleep(0.01)
        second.cancel()
        opened(bench)
        assert (await first).body == b"2"
        assert handler.sizes == [1]
        assert (await bench.ask(3)).body == b"6"

    run(Batched, scenario)


def test_beyond_its_queue_the_engine_refuses_and_says_when_to_come_back() -> None:
    async def scenario(bench: Bench) -> None:
        asking = [asyncio.create_task(bench.ask(number)) for number in range(2)]
        await asyncio.sleep(0)
        assert not bench.engine.ready
        refused = await bench.ask(9)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        opened(bench)
        assert [(await task).status for task in asking] == [200, 200]
        assert bench.engine.ready

    run(Batched, scenario, queue=2)


def test_a_late_answer_is_a_504_and_a_call_past_the_functions_limit_is_reported_stuck() -> None:
    async def scenario(bench: Bench) -> None:
        asking = asyncio.create_task(bench.ask(1))
        assert isinstance(bench.model.handler, Batched)
        assert await asyncio.to_thread(bench.model.handler.entered.wait, PATIENCE_S)
        advance(30)
        assert (await asking).status == 504
        await bench.stuck.wait()
        opened(bench)
        assert (await bench.ask(2)).body == b"4"

    bench = run(Batched, scenario, limits=Limits(timeout_s=30))
    assert bench.engine.overruns == 1
    assert bench.log[0]["event"] == "deadline-exceeded"


def test_a_caller_with_little_time_does_not_make_the_process_look_stuck() -> None:
    async def scenario(bench: Bench) -> None:
        late = await bench.ask(1, timeout_s=0.0199999)
        assert (late.status, json.loads(late.body)["detail"][-14:]) == (504, "within 0.02 s.")
        opened(bench)
        assert (await bench.ask(2)).status == 200
        assert not bench.stuck.is_set()

    run(Batched, scenario)


def test_draining_refuses_new_requests_and_waits_for_those_in_hand() -> None:
    async def scenario(bench: Bench) -> None:
        first = asyncio.create_task(bench.ask(1))
        await asyncio.sleep(0)
        draining = asyncio.create_task(bench.engine.drain())
        await asyncio.sleep(0)
        assert not bench.engine.ready
        assert (await bench.ask(2)).status == 503
        assert not draining.done()
        opened(bench)
        assert (await first).status == 200
        await draining

    run(Batched, scenario)


class Threaded(Handler):
    """Answers its input at once if that is even; an odd one waits for the gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)

    @threaded(threads=2)
    def predict(self, number: int) -> int:
        self.entered.release()
        if number % 2:
            self.gate.wait(PATIENCE_S)
        return number * 2


async def held(bench: Bench, number: int) -> tuple[Threaded, asyncio.Task[Response]]:
    """Ask for `number`, an odd one, and return once its predict has begun."""
    handler = bench.model.handler
    assert isinstance(handler, Threaded)
    asking = asyncio.create_task(bench.ask(number))
    assert await asyncio.to_thread(handler.entered.acquire, timeout=PATIENCE_S)
    return handler, asking


def test_calls_of_a_threaded_predict_overlap_and_each_has_its_own_answer() -> None:
    async def scenario(bench: Bench) -> None:
        handler, first = await held(bench, 1)
        assert [(await bench.ask(number)).body for number in (2, 4)] == [b"4", b"8"]
        assert not first.done()
        handler.gate.set()
        assert (await first).body == b"2"

    run(Threaded, scenario)


def test_a_call_beyond_the_threads_queues_and_every_time_is_that_of_its_own_call() -> None:
    clock = HandClock()

    async def scenario(bench: Bench) -> None:
        handler, first = await held(bench, 1)
        clock.advance(1)
        _, second = await held(bench, 3)
        third = asyncio.create_task(bench.ask(2))
        await asyncio.sleep(0)
        clock.advance(2)
        handler.gate.set()
        times = [((await asked).queue_ms, (await asked).model_ms) for asked in (first, second, third)]
        assert times == [(0, 3000), (0, 2000), (2000, 0)]

    run(Threaded, scenario, clock=clock)


def test_draining_waits_for_the_calls_of_all_threads() -> None:
    async def scenario(bench: Bench) -> None:
        handler, first = await held(bench, 1)
        _, second = await held(bench, 3)
        draining = asyncio.create_task(bench.engine.drain())
        await asyncio.sleep(0)
        assert not draining.done()
        handler.gate.set()
        await draining
        assert [(await asked).body for asked in (first, second)] == [b"2", b"6"]

    run(Threaded, scenario)


def test_a_cancelled_request_ends_with_its_own_call_though_another_thread_is_free() -> None:
    async def scenario(bench: Bench) -> None:
        handler, leaving = await held(bench, 1)
        leaving.cancel()
        assert (await bench.ask(2)).body == b"4"
        assert not leaving.done()
        handler.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await leaving

    run(Threaded, scenario)


class Async(Handler):
    cancelled = False

    async def predict(self, how: str) -> str:
        if how == "raise":
            raise ValueError(how)
        if how == "exit":
            raise SystemExit
        if how == "inner":
            raise asyncio.CancelledError
        if how == "wait":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        return how.upper()


def test_async_handlers_run_side_by_side_on_the_loop() -> None:
    async def scenario(bench: Bench) -> None:
        waiting = asyncio.create_task(bench.ask("wait"))
        await asyncio.sleep(0)
        assert (await bench.ask("go")).body == b'"GO"'
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert isinstance(bench.model.handler, Async)
        assert bench.model.handler.cancelled

    run(Async, scenario)


@pytest.mark.parametrize("how", ["raise", "exit", "inner"])
def test_an_async_handler_that_raises_is_a_500(how: str) -> None:
    async def scenario(bench: Bench) -> None:
        assert (await bench.ask(how)).status == 500

    run(Async, scenario)


def test_an_async_handler_past_its_deadline_is_cancelled() -> None:
    async def scenario(bench: Bench) -> None:
        assert (await bench.ask("wait", timeout_s=0.02)).status == 504
        assert isinstance(bench.model.handler, Async)
        assert bench.model.handler.cancelled
        assert not bench.stuck.is_set()

    run(Async, scenario)


class Streams(Handler):
    def predict(self, count: int) -> Iterator[int]:
        yield from range(count)


class Echo(Handler):
    def predict(self, text: str) -> str:
        return text


def test_large_bodies_come_through_unchanged() -> None:
    async def scenario(bench: Bench) -> None:
        large = "x" * 400_000
        for _ in range(2):
            assert json.loads((await bench.ask(large)).body) == large

    run(Echo, scenario)


@pytest.mark.parametrize(
    ("handler", "configured", "expected"),
    [(Double, 0, 1), (Batched, 0, 8), (Async, 0, 32), (Streams, 0, 1), (Threaded, 0, 2), (Async, 5, 5)],
)
def test_concurrency_follows_the_handler_unless_configured(
    handler: type[Handler], configured: int, expected: int
) -> None:
    assert concurrency_of(model_of(handler).contract, configured) == expected


@pytest.mark.parametrize(("at_once", "queue"), [(1, 32), (8, 32), (16, 64), (32, 128), (256, 128)])
def test_the_queue_follows_what_predict_takes_at_once(at_once: int, queue: int) -> None:
    assert queue_for(at_once) == queue

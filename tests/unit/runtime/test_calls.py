import asyncio
import threading

import pytest

from preheat.runtime.attempts import CallFailed, Raised, attempt, attempt_async, result_of
from preheat.runtime.model_thread import ModelThread


def test_calls_run_in_order_on_the_thread_that_runs_them_and_none_is_lost_at_the_end() -> None:
    executor = ModelThread()
    seen: list[tuple[int, int]] = []

    def note(number: int) -> None:
        seen.append((number, threading.get_ident()))

    futures = [executor.submit(note, number) for number in range(5)]
    executor.shutdown()
    executor.run()
    assert seen == [(number, threading.get_ident()) for number in range(5)]
    assert all(future.done() for future in futures)


def test_a_call_that_raises_does_not_stop_the_thread() -> None:
    executor = ModelThread()
    failing = executor.submit(lambda: 1 // 0)
    working = executor.submit(lambda: 7)
    executor.shutdown()
    executor.run()
    assert isinstance(failing.exception(), ZeroDivisionError)
    assert working.result() == 7


def test_a_cancelled_call_never_runs() -> None:
    executor = ModelThread()
    ran: list[int] = []
    future = executor.submit(lambda: ran.append(1))
    assert future.cancel()
    executor.shutdown()
    executor.run()
    assert ran == []


@pytest.mark.parametrize("error", [SystemExit(1), StopIteration(), KeyboardInterrupt(), ValueError()])
def test_every_exception_comes_back_as_a_value(error: BaseException) -> None:
    def fails() -> None:
        raise error

    outcome = attempt(fails)
    assert isinstance(outcome, Raised)
    with pytest.raises(CallFailed) as caught:
        result_of(outcome)
    assert caught.value.error is error


def test_cancelling_passes_through_and_a_handlers_own_does_not() -> None:
    async def own() -> None:
        raise asyncio.CancelledError

    async def scenario() -> None:
        assert isinstance(await attempt_async(own()), Raised)
        task = asyncio.create_task(attempt_async(asyncio.Event().wait()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())

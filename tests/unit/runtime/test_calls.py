import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.runtime.attempts import CallFailed, Raised, attempt, attempt_async, result_of
from preheat.runtime.calls import ThreadCalls
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


def test_as_many_calls_run_at_once_as_there_are_threads_and_the_thread_that_entered_is_one() -> None:
    executor = ModelThread()
    together = threading.Barrier(3)
    idents: list[int] = []
    before = set(threading.enumerate())

    def meet() -> None:
        together.wait(PATIENCE_S)
        idents.append(threading.get_ident())

    meetings = [executor.submit(meet) for _ in range(6)]
    executor.shutdown()
    executor.run(3)
    assert all(meeting.exception() is None for meeting in meetings)
    assert threading.get_ident() in idents
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in left if name.startswith("preheat-model")}


def test_what_is_last_runs_on_the_thread_that_entered_after_the_calls_of_all_others() -> None:
    executor = ModelThread()
    both = threading.Barrier(2)
    torn_down = threading.Event()
    seen: list[str] = []

    def call() -> None:
        both.wait(PATIENCE_S)
        if threading.current_thread() is not entered:
            seen.append("early" if torn_down.wait(0.1) else "in time")  # nothing else could show it

    def last() -> None:
        seen.append(threading.current_thread().name)
        torn_down.set()

    entered = threading.current_thread()
    for _ in range(2):
        executor.post(call)
    executor.shutdown(last=last)
    executor.run(2)
    assert seen == ["in time", entered.name]


class Calls:
    """ThreadCalls to two threads, one call of which waits for the gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.stuck = asyncio.Event()
        self.thread = ModelThread()
        self.calls = ThreadCalls(self.thread, limit_s=0.05, on_stuck=self.stuck.set)
        self._entered = threading.Event()
        threading.Thread(target=self.thread.run, args=(2,), daemon=True).start()

    async def hold(self) -> asyncio.Future[str]:
        """Return the future of a call that waits for the gate, once it has begun."""
        held = self.calls.call(self._wait)
        assert await asyncio.to_thread(self._entered.wait, 10)
        return held

    def _wait(self) -> str:
        self._entered.set()
        return "opened" if self.gate.wait(PATIENCE_S) else "never opened"


def with_calls(scenario: Callable[[Calls], Awaitable[None]]) -> None:
    async def main() -> None:
        calls = Calls()
        async with asyncio.timeout(PATIENCE_S):
            await scenario(calls)
        calls.thread.shutdown()

    asyncio.run(main())


def test_a_stuck_call_is_noticed_while_others_go_on() -> None:
    async def scenario(calls: Calls) -> None:
        held = await calls.hold()
        assert await calls.calls.call(lambda: 1) == 1
        await calls.stuck.wait()
        assert await calls.calls.call(lambda: 2) == 2
        calls.gate.set()
        assert await held == "opened"

    with_calls(scenario)


def test_calls_that_all_end_in_time_are_not_stuck_however_long_there_is_one() -> None:
    async def scenario(calls: Calls) -> None:
        until = asyncio.get_running_loop().time() + 0.15
        while asyncio.get_running_loop().time() < until:
            await asyncio.gather(calls.calls.call(sum, range(1000)), calls.calls.call(sum, range(1000)))
        assert not calls.stuck.is_set()

    with_calls(scenario)


def test_a_cancelled_call_has_ended_when_it_has_returned_and_one_in_the_queue_at_once() -> None:
    ran: list[str] = []

    async def scenario(calls: Calls) -> None:
        held = await calls.hold()
        held.cancel()
        ending = asyncio.create_task(calls.calls.ended(held))
        assert await calls.calls.call(lambda: "by the other thread") == "by the other thread"
        assert not ending.done()
        calls.gate.set()
        await ending
        queued = calls.calls.call(ran.append, "queued")
        queued.cancel()
        await calls.calls.ended(queued)
        assert await calls.calls.call(len, ran) == 0

    with_calls(scenario)

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from typing import Any

import pytest
from tests.fakes.clock import HandClock
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


LIMIT_S = 0.05


class Gate:
    """A call that has `begun`, and waits until it is let `go`."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        return "opened" if self.go.wait(PATIENCE_S) else "never opened"


class Calls:
    """ThreadCalls to two threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.stuck = asyncio.Event()
        self.thread = ModelThread()
        self.calls = ThreadCalls(self.thread, limit_s=LIMIT_S, on_stuck=self.stuck.set, clock=clock)
        threading.Thread(target=self.thread.run, args=(2,), daemon=True).start()

    async def hold(self, gate: Gate) -> asyncio.Future[str]:
        """Return the future of a call of `gate`, once it has begun."""
        held = self.calls.call(gate)
        assert await asyncio.to_thread(gate.begun.wait, PATIENCE_S)
        return held


def with_calls(scenario: Callable[[Calls], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        calls = Calls(**options)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await scenario(calls)
        finally:
            calls.thread.shutdown()

    asyncio.run(main())


def test_a_stuck_call_is_noticed_while_others_go_on() -> None:
    async def scenario(calls: Calls) -> None:
        gate = Gate()
        held = await calls.hold(gate)
        assert await calls.calls.call(lambda: 1) == 1
        await calls.stuck.wait()
        assert await calls.calls.call(lambda: 2) == 2
        gate.go.set()
        assert await held == "opened"

    with_calls(scenario)


class LookedAt(HandClock):
    """A clock that says when the event loop looks at it, not one of the threads."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = asyncio.Event()
        self._loops = threading.current_thread()

    def __call__(self) -> float:
        if threading.current_thread() is self._loops:
            self.looked.set()
        return super().__call__()


def test_calls_that_all_end_in_time_are_not_stuck_however_long_there_is_one() -> None:
    clock = LookedAt()

    async def scenario(calls: Calls) -> None:
        gate = Gate()
        held = await calls.hold(gate)
        for _ in range(5):
            clock.advance(LIMIT_S * 0.6)
            clock.looked.clear()
            await clock.looked.wait()
            following = Gate()
            held, before = await calls.hold(following), held
            gate.go.set()
            assert await before == "opened"
            gate = following
        gate.go.set()
        assert await held == "opened"
        assert not calls.stuck.is_set()

    with_calls(scenario, clock=clock)


class NoThread:
    """Threads, none of which has begun with what was posted."""

    def __init__(self) -> None:
        self.posted: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def post(self, call: Callable[[], None]) -> None:
        self.posted.put(call)


def test_a_call_that_begins_after_a_look_that_found_nothing_running_is_watched_too() -> None:
    async def main() -> None:
        threads, stuck, gate = NoThread(), asyncio.Event(), Gate()
        calls = ThreadCalls(threads, limit_s=LIMIT_S, on_stuck=stuck.set)
        held = calls.call(gate)
        await asyncio.sleep(LIMIT_S)  # set after the timer of the look, so it ends after the look
        running = threading.Thread(target=threads.posted.get())
        running.start()
        try:
            await asyncio.wait_for(stuck.wait(), PATIENCE_S)
        finally:
            gate.go.set()
            await asyncio.to_thread(running.join)
        assert await held == "opened"

    asyncio.run(main())


def test_without_an_unfinished_call_nobody_looks() -> None:
    async def scenario(calls: Calls) -> None:
        assert await calls.calls.call(lambda: 1) == 1
        await asyncio.sleep(LIMIT_S)  # as above
        assert calls.calls._watch is None

    with_calls(scenario)


def test_a_result_whose_wake_up_comes_after_the_end_of_the_loop_harms_nobody() -> None:
    threads = NoThread()
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        calls = ThreadCalls(threads, limit_s=LIMIT_S, on_stuck=lambda: None)
        calls.call(lambda: 1)

    loop.run_until_complete(begin())
    loop.close()
    threads.posted.get()()


def test_a_cancelled_call_has_ended_when_it_has_returned_and_one_in_the_queue_at_once() -> None:
    ran: list[str] = []

    async def scenario(calls: Calls) -> None:
        gate = Gate()
        held = await calls.hold(gate)
        held.cancel()
        ending = asyncio.create_task(calls.calls.ended(held))
        assert await calls.calls.call(lambda: "by the other thread") == "by the other thread"
        assert not ending.done()
        gate.go.set()
        await ending
        queued = calls.calls.call(ran.append, "queued")
        queued.cancel()
        await calls.calls.ended(queued)
        assert await calls.calls.call(len, ran) == 0

    with_calls(scenario)

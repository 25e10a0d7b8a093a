"""Dispatcher over random arrivals, deadlines, departures and crashes, in virtual time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.virtual_loop import run_virtually

from preheat.runtime.attempts import Raised
from preheat.runtime.batching import BatchPolicy
from preheat.runtime.dispatch import Dispatcher, Outcome

MS = 0.001
NEVER_MS = 10_000


@dataclass(frozen=True)
class Caller:
    """Comes, gives up at its deadline, and may leave before."""

    comes_ms: int
    patience_ms: int
    leaves_after_ms: int | None


@dataclass(frozen=True)
class Turn:
    """What one batch does: how long it takes, and whether it answers."""

    lasts_ms: int
    ends: str


Callers = st.lists(
    st.builds(
        Caller,
        comes_ms=st.integers(0, 40),
        patience_ms=st.sampled_from([1, 5, 20, NEVER_MS]),
        leaves_after_ms=st.none() | st.integers(0, 30),
    ),
    max_size=14,
)
Turns = st.lists(
    st.builds(
        Turn, lasts_ms=st.integers(0, 12), ends=st.sampled_from(["well", "well", "raises", "cancelled"])
    ),
    max_size=6,
)


class Crash(Exception):
    """What a model raises here."""


@dataclass
class Model:
    """Answers each number with ten times it, as its turns say, and well after the last of them."""

    turns: list[Turn]
    batches: list[list[int]] = field(default_factory=list)
    started: dict[int, float] = field(default_factory=dict)
    running: int = 0
    most_running: int = 0

    async def run(self, numbers: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(numbers))
        self.started |= dict.fromkeys(numbers, asyncio.get_running_loop().time())
        turn = self.turns.pop(0) if self.turns else Turn(1, "well")
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        await asyncio.sleep(turn.lasts_ms * MS)
        self.running -= 1
        if turn.ends == "raises":
            raise Crash
        if turn.ends == "cancelled":
            raise asyncio.CancelledError
        return [number * 10 for number in numbers]


@dataclass
class Ended:
    """How a call ended, and when."""

    how: Outcome | BaseException
    at: float


async def call(dispatcher: Dispatcher, number: int, caller: Caller) -> Ended:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(caller.comes_ms * MS)
    calling = loop.create_task(dispatcher.call(number, loop.time() + caller.patience_ms * MS))
    if caller.leaves_after_ms is not None:
        loop.call_later(caller.leaves_after_ms * MS, calling.cancel)
    (how,) = await asyncio.gather(calling, return_exceptions=True)
    return Ended(how, loop.time())


async def serve(callers: list[Caller], model: Model, max_size: int) -> list[Ended]:
    loop = asyncio.get_running_loop()
    policy: BatchPolicy[object] = BatchPolicy(max_size=max_size, max_wait_ms=5, clock=loop.time)
    dispatcher = Dispatcher(policy, model.run, loop.time)  # type: ignore[arg-type]
    ended = await asyncio.gather(*(call(dispatcher, number, each) for number, each in enumerate(callers)))
    model.turns.clear()
    after = await dispatcher.call(len(callers), loop.time() + 1)
    assert after.value == 10 * len(callers), "whatever happened, the next call is served"
    assert len(policy) == 0
    return ended


@given(callers=Callers, turns=Turns, max_size=st.integers(1, 4))
def test_every_call_ends_once_with_its_own_answer_or_the_reason_why_not(
    callers: list[Caller], turns: list[Turn], max_size: int
) -> None:
    model = Model(list(turns))
    ended = run_virtually(serve(callers, model, max_size))
    numbers = [number for batch in model.batches for number in batch]
    assert len(numbers) == len(set(numbers)), "no request runs twice"
    assert all(0 < len(batch) <= max_size for batch in model.batches)
    assert model.most_running == 1, "one batch at a time"
    slowest_ms = max([1, *(turn.lasts_ms for turn in turns)])
    for number, (caller, end) in enumerate(zip(callers, ended, strict=True)):
        assert model.started.get(number, 0.0) <= end.at, "what nobody waits for any more never runs"
        took_ms = end.at / MS - caller.comes_ms
        match end.how:
            case Outcome(value=Raised()):
                index = next(index for index, batch in enumerate(model.batches) if number in batch)
                assert turns[index].ends != "well", "only who was in a batch that failed is told so"
            case Outcome(value=answer):
                assert answer == number * 10
            case TimeoutError():
                assert took_ms >= caller.patience_ms - 1e-6
            case asyncio.CancelledError():
                assert caller.leaves_after_ms is not None
                batch_ms = slowest_ms if number in model.started else 0
                assert took_ms <= caller.leaves_after_ms + batch_ms + 1e-6, "it waits for its batch alone"
                continue
            case other:
                raise AssertionError(f"{number} ended with {other!r}")
        assert took_ms <= caller.patience_ms + 1e-6, "nobody is kept beyond the deadline"


@given(callers=Callers, max_size=st.integers(1, 4), lasts_ms=st.integers(0, 12))
def test_who_has_time_and_stays_is_answered_in_order_of_arrival(
    callers: list[Caller], max_size: int, lasts_ms: int
) -> None:
    model = Model([Turn(lasts_ms, "well")] * 20)
    patient = [Caller(caller.comes_ms, NEVER_MS, None) for caller in callers]
    ended = run_virtually(serve(patient, model, max_size))
    assert [end.how.value for end in ended if isinstance(end.how, Outcome)] == [
        number * 10 for number in range(len(callers))
    ]
    started = [number for batch in model.batches[:-1] for number in batch]
    assert [patient[number].comes_ms for number in started] == sorted(each.comes_ms for each in patient)

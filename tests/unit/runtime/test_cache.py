import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import HandClock
from tests.fakes.engine import FakeEngine, Stalled
from tests.fakes.patience import PATIENCE_S

from preheat.interface.caching import Caching
from preheat.interface.message import Request, Response
from preheat.runtime.cache import LARGEST_SHARE, MB, OVERHEAD_BYTES, Cached, RequestKey, ResultCache


def asked(body: bytes = b"1", **fields: Any) -> Request:
    return Request(**{"body": body, "id": "r", **fields})


def result_cache(clock: HandClock | None = None, **bounds: Any) -> ResultCache:
    known: dict[str, Any] = {"entries": 4, "mb": 64.0, "ttl_s": None}
    return ResultCache(Caching(**{**known, **bounds}), clock or HandClock())


def cached(engine: FakeEngine, cache: ResultCache | None = None, release: str = "1") -> Cached:
    return Cached(engine, cache or result_cache(), RequestKey(release))


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await scenario()

    asyncio.run(main())


def how(response: Response) -> str:
    return response.headers["x-preheat-cache"]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Gate:
    """Answers all who wait once it opens, and counts them."""

    def __init__(self, response: Response | None = None) -> None:
        self.response = response or Response(body=b"42", model_ms=5.0, headers={"x-preheat-model-ms": "5"})
        self.opened = asyncio.Event()
        self.calls: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.calls.append(request)
        await self.opened.wait()
        return self.response


# What is kept


def test_what_was_used_least_recently_makes_room() -> None:
    cache = result_cache(entries=2)
    for name in (b"a", b"b"):
        cache.put(name, Response(body=name))
    assert cache.get(b"a") is not None
    cache.put(b"c", Response(body=b"c"))
    assert cache.get(b"b") is None
    assert cache.get(b"a") is not None
    assert cache.get(b"c") is not None


def test_large_answers_make_room_before_their_number_is_reached() -> None:
    cache = result_cache(entries=100, mb=1.0)
    for number in range(20):
        cache.put(b"%d" % number, Response(body=bytes(MB // 10)))
        assert cache.bytes <= MB
    assert len(cache) == 9
    assert cache.get(b"10") is None
    assert cache.get(b"11") is not None


def test_an_answer_is_too_old_when_its_time_is_over_and_then_takes_no_room() -> None:
    clock = HandClock()
    cache = result_cache(clock, ttl_s=10.0)
    cache.put(b"a", Response(body=b"1"))
    clock.now += 9.9
    assert cache.get(b"a") is not None
    clock.now += 0.1
    assert cache.get(b"a") is None
    assert (len(cache), cache.bytes) == (0, 0)


def test_an_answer_kept_again_lives_from_then_on_and_counts_once() -> None:
    clock = HandClock()
    cache = result_cache(clock, ttl_s=10.0)
    cache.put(b"a", Response(body=b"old"))
    size = cache.bytes
    clock.now += 9.0
    cache.put(b"a", Response(body=b"new"))
    clock.now += 9.0
    kept = cache.get(b"a")
    assert kept is not None
    assert kept.body == b"new"
    assert (len(cache), cache.bytes) == (1, size)


async def _chunks() -> AsyncIterator[bytes]:
    yield b"1"


@pytest.mark.parametrize(
    "response",
    [
        Response(status=500),
        Response(status=400),
        Response(status=204),
        Response(chunks=_chunks()),
        Response(body=bytes(int(MB * LARGEST_SHARE))),
    ],
)
def test_only_a_whole_200_of_moderate_size_is_kept(response: Response) -> None:
    cache = result_cache(mb=1.0)
    cache.put(b"a", response)
    assert len(cache) == 0


def test_what_tells_of_one_call_is_not_kept() -> None:
    cache = result_cache()
    times = {"x-preheat-queue-ms": "1", "x-preheat-model-ms": "2", "x-preheat-start": "cold"}
    headers = {**times, "x-preheat-batch-size": "3", "x-preheat-release": "7"}
    cache.put(b"a", Response(headers=headers, queue_ms=1.0, model_ms=2.0, batch_size=3))
    kept = cache.get(b"a")
    assert kept is not None
    assert kept.headers == {"x-preheat-release": "7"}
    assert (kept.queue_ms, kept.model_ms, kept.batch_size) == (0, 0, 0)


Puts = st.tuples(st.just("put"), st.integers(0, 9), st.integers(0, 9_000))
Gets = st.tuples(st.just("get"), st.integers(0, 9), st.just(0))


@given(
    steps=st.lists(Puts | Gets, max_size=80),
    entries=st.integers(1, 6),
    mb=st.floats(0.1, 0.2),
    ttl_s=st.none() | st.just(5.0),
)
def test_bounds_hold_and_what_is_found_is_the_last_put_and_not_too_old(
    steps: list[tuple[str, int, int]], entries: int, mb: float, ttl_s: float | None
) -> None:
    clock = HandClock()
    cache = result_cache(clock, entries=entries, mb=mb, ttl_s=ttl_s)
    last: dict[bytes, tuple[bytes, float]] = {}
    for turn, (step, number, size) in enumerate(steps):
        key = b"%d" % number
        clock.now += 0.5
        if step == "put":
            last[key] = (b"%d" % turn + bytes(size), clock.now)
            cache.put(key, Response(body=last[key][0]))
            assert cache.get(key) is not None
        elif (found := cache.get(key)) is not None:
            body, put = last[key]
            assert found.body == body
            assert ttl_s is None or clock.now - put < ttl_s
        assert len(cache) <= entries
        assert len(cache) * OVERHEAD_BYTES <= cache.bytes <= mb * MB


# Which requests are the same


@pytest.mark.parametrize(
    "other",
    [
        asked(b"2"),
        asked(content_type="text/plain"),
        asked(accept="application/json"),
        asked(content_type="application/json*", accept="/*"),
        asked(accept="*/*1", body=b""),
    ],
)
def test_requests_with_other_answers_have_other_keys(other: Request) -> None:
    key = RequestKey("1")
    assert key.of(asked()) != key.of(other)
    assert key.of(asked()) == key.of(asked(id="another", timeout_s=3.0))


def test_two_releases_share_nothing() -> None:
    assert RequestKey("1").of(asked()) != RequestKey("2").of(asked())


@given(st.tuples(st.text(), st.text(), st.binary()), st.tuples(st.text(), st.text(), st.binary()))
def test_no_two_different_requests_share_a_key(
    one: tuple[str, str, bytes], two: tuple[str, str, bytes]
) -> None:
    keys = [
        RequestKey("1").of(asked(body, content_type=kind, accept=accept)) for kind, accept, body in (one, two)
    ]
    assert (keys[0] == keys[1]) == (one == two)


# The engine


def test_the_second_request_is_answered_without_the_model() -> None:
    async def scenario() -> None:
        engine = FakeEngine()
        front = cached(engine)
        first, second = await front.invoke(asked()), await front.invoke(asked(id="other"))
        assert (how(first), how(second)) == ("miss", "hit")
        assert first.body == second.body == b"1"
        assert second.headers["x-preheat-start"] == "warm"
        assert len(engine.requests) == 1

    run(scenario)


def test_a_request_alone_reaches_the_engine_as_it_is() -> None:
    async def scenario() -> None:
        engine = FakeEngine()
        request = asked(timeout_s=3.0)
        await cached(engine).invoke(request)
        assert engine.requests == [request]

    run(scenario)


def test_a_failure_is_shared_and_not_kept() -> None:
    async def scenario() -> None:
        gate = Gate(Response(status=500, body=b"why"))
        front = cached(FakeEngine(gate))
        calls = [asyncio.create_task(front.invoke(asked())) for _ in range(3)]
        await settle()
        gate.opened.set()
        answers = [await call for call in calls]
        assert [answer.status for answer in answers] == [500] * 3
        assert len(gate.calls) == 1
        assert how(await front.invoke(asked())) == "miss"
        assert len(gate.calls) == 2

    run(scenario)


def test_who_shares_a_call_has_no_times_of_its_own() -> None:
    async def scenario() -> None:
        gate = Gate()
        front = cached(FakeEngine(gate))
        calls = [asyncio.create_task(front.invoke(asked())) for _ in range(2)]
        await settle()
        gate.opened.set()
        led, shared = [await call for call in calls]
        assert (how(led), led.model_ms, led.headers["x-preheat-model-ms"]) == ("miss", 5.0, "5")
        assert (how(shared), shared.model_ms, shared.body) == ("shared", 0.0, b"42")
        assert "x-preheat-model-ms" not in shared.headers

    run(scenario)


def test_the_call_goes_on_when_its_first_caller_leaves_and_others_wait() -> None:
    async def scenario() -> None:
        gate = Gate()
        front = cached(FakeEngine(gate))
        first, second = [asyncio.create_task(front.invoke(asked())) for _ in range(2)]
        await settle()
        first.cancel()
        await settle()
        assert first.cancelled()
        gate.opened.set()
        assert (await second).body == b"42"
        assert how(await front.invoke(asked())) == "hit"

    run(scenario)


def test_the_call_is_cancelled_when_the_last_caller_has_left() -> None:
    async def scenario() -> None:
        stalled = Stalled()
        front = cached(FakeEngine(stalled))
        calls = [asyncio.create_task(front.invoke(asked())) for _ in range(2)]
        await settle()
        calls[0].cancel()
        await settle()
        assert not stalled.cancelled.is_set()
        calls[1].cancel()
        await asyncio.wait(calls)
        assert stalled.cancelled.is_set()

    run(scenario)


def test_who_comes_while_a_cancelled_call_ends_gets_a_call_of_its_own() -> None:
    async def scenario() -> None:
        free = asyncio.Event()

        async def lingering(request: Request) -> Response:
            try:
                return await Stalled()(request)
            finally:
                await free.wait()

        engine = FakeEngine(lingering)
        front = cached(engine)
        left = asyncio.create_task(front.invoke(asked()))
        await settle()
        left.cancel()
        await settle()
        assert not left.done()  # the model is not free yet
        engine.answer = Gate()
        engine.answer.opened.set()
        assert (await front.invoke(asked())).body == b"42"
        free.set()
        await asyncio.wait({left})
        assert left.cancelled()

    run(scenario)


def test_a_caller_with_less_time_gets_its_504_and_the_call_goes_on() -> None:
    async def scenario() -> None:
        gate = Gate()
        front = cached(FakeEngine(gate))
        patient = asyncio.create_task(front.invoke(asked(timeout_s=60.0)))
        await settle()
        hasty = await front.invoke(asked(timeout_s=0.01, id="hasty"))
        assert hasty.status == 504
        assert b"hasty" in hasty.body
        gate.opened.set()
        assert (await patient).status == 200
        assert len(gate.calls) == 1

    run(scenario)


def test_a_caller_with_more_time_than_the_shared_call_had_makes_its_own() -> None:
    async def scenario() -> None:
        gate = Gate(Response(status=504))
        engine = FakeEngine(gate)
        front = cached(engine)
        hasty = asyncio.create_task(front.invoke(asked(timeout_s=5.0)))
        await settle()
        patient = [asyncio.create_task(front.invoke(asked(timeout_s=60.0))) for _ in range(2)]
        await settle()
        gate.response = replace(gate.response, status=504)
        engine.answer = Gate()
        engine.answer.opened.set()
        gate.opened.set()
        assert (await hasty).status == 504
        assert [(await each).body for each in patient] == [b"42"] * 2
        assert len(engine.answer.calls) == 1
        assert 5.0 < (engine.answer.calls[0].timeout_s or 0) <= 60.0

    run(scenario)


Arrivals = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=12)


@given(Arrivals)
def test_equal_requests_in_flight_are_one_call_and_each_is_answered_once(
    arrivals: list[tuple[int, bool]],
) -> None:
    """Each arrival asks one of three things; some leave before the answer comes."""

    async def scenario() -> None:
        gate = Gate(Response(body=b"same"))
        front = cached(FakeEngine(gate))
        calls = [
            (asyncio.create_task(front.invoke(asked(b"%d" % what))), leaves) for what, leaves in arrivals
        ]
        await settle()
        bodies = [request.body for request in gate.calls]
        assert len(bodies) == len(set(bodies)) == len({what for what, _ in arrivals})
        for call, leaves in calls:
            if leaves:
                call.cancel()
        await settle()
        gate.opened.set()
        for call, leaves in calls:
            if leaves:
                await asyncio.wait({call})
                assert call.cancelled()
            else:
                assert (await call).body == b"same"
        stayed = {what for what, leaves in arrivals if not leaves}
        for what in {what for what, _ in arrivals}:
            again = await front.invoke(asked(b"%d" % what))
            assert how(again) == ("hit" if what in stayed else "miss")

    run(scenario)


def test_it_is_ready_when_its_engine_is() -> None:
    engine = FakeEngine(ready=False)
    assert not cached(engine).ready
    engine.ready = True
    assert cached(engine).ready

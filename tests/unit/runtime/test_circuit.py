import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import HandClock
from tests.fakes.engine import FakeEngine, Stalled
from tests.fakes.patience import PATIENCE_S

from preheat.interface.message import Request, Response
from preheat.runtime.circuit import FAILURES, FIRST_S, LONGEST_S, QUIET_S, Breaker, Circuit


class Moody:
    """Answers with whatever status it has now."""

    def __init__(self) -> None:
        self.status = 200

    async def __call__(self, request: Request) -> Response:
        return Response(status=self.status)


class Bench:
    """A breaker over a moody engine, in time that stands still."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.moody = Moody()
        self.engine = FakeEngine(self.moody)
        self.log: list[dict[str, Any]] = []
        self.breaker = Breaker(self.engine, self.log.append, self.clock)
        self._asked = 0

    async def ask(self, status: int = 200, body: bytes | None = None) -> Response:
        """Send an input that was never sent before, or `body`, to a model that answers with `status`."""
        self._asked += 1
        self.moody.status = status
        return await self.breaker.invoke(Request(body=body or b"%d" % self._asked, id=f"r{self._asked}"))

    async def fail(self, times: int = FAILURES, status: int = 500) -> None:
        for _ in range(times):
            await self.ask(status)


def run(scenario: Callable[[Bench], Awaitable[None]]) -> Bench:
    async def main() -> Bench:
        bench = Bench()
        async with asyncio.timeout(PATIENCE_S):
            await scenario(bench)
        return bench

    return asyncio.run(main())


@pytest.mark.parametrize("status", [500, 502])
def test_different_inputs_failing_in_a_row_open_it(status: int) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.fail(FAILURES - 1, status)
        assert (bench.breaker.ready, bench.breaker.open) == (True, False)
        await bench.fail(1, status)
        assert (bench.breaker.ready, bench.breaker.open) == (False, True)
        refused = await bench.ask()
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        assert "fails" in json.loads(refused.body)["detail"]
        assert len(bench.engine.requests) == FAILURES

    run(scenario)


@pytest.mark.parametrize("status", [400, 413, 415, 429, 503, 504])
def test_what_says_nothing_of_the_model_never_opens_it(status: int) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.fail(20, status)
        assert not bench.breaker.open

    run(scenario)


def test_one_input_sent_again_and_again_opens_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        for _ in range(50):
            await bench.ask(500, b"poison")
        assert not bench.breaker.open

    run(scenario)


def test_poison_among_good_requests_opens_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        for _ in range(20):
            await bench.ask(200)
            bench.clock.now += QUIET_S - 0.1
            await bench.fail(3 * FAILURES)
            assert not bench.breaker.open

    run(scenario)


def test_a_model_that_worked_opens_it_once_nothing_has_succeeded_for_a_while() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask(200)
        await bench.fail()
        assert not bench.breaker.open
        bench.clock.now += QUIET_S
        await bench.ask(500)
        assert bench.breaker.open

    run(scenario)


def test_failures_from_before_a_success_do_not_count() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.fail(FAILURES - 1)
        await bench.ask(200)
        bench.clock.now += QUIET_S
        await bench.fail(FAILURES - 1)
        assert not bench.breaker.open

    run(scenario)


def test_after_the_back_off_one_request_goes_through_and_its_success_closes() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.fail()
        bench.clock.now += FIRST_S
        assert bench.breaker.ready is True
        stalled = bench.engine.answer = Stalled()
        probe = asyncio.create_task(bench.ask())
        await stalled.begun.wait()
        assert (await bench.ask()).status == 503
        assert (bench.breaker.ready, bench.breaker.open) == (False, True)
        probe.cancel()
        await asyncio.wait({probe})
        bench.engine.answer = bench.moody
        assert (await bench.ask()).status == 200
        assert (bench.breaker.ready, bench.breaker.open) == (True, False)

    bench = run(scenario)
    assert [event["event"] for event in bench.log] == ["circuit-open", "circuit-closed"]
    assert (bench.log[0]["level"], bench.log[0]["request_id"]) == ("error", f"r{FAILURES}")


def test_a_probe_that_tells_nothing_makes_the_next_request_the_probe() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.fail()
        bench.clock.now += FIRST_S
        assert (await bench.ask(400)).status == 400
        assert bench.breaker.open
        assert (await bench.ask(200)).status == 200
        assert not bench.breaker.open

    run(scenario)


def test_the_back_off_doubles_up_to_a_bound_and_starts_over_after_a_success() -> None:
    async def scenario(bench: Bench) -> None:
        waits = []
        await bench.fail()
        for _ in range(9):
            wait_s = int((await bench.ask(500)).headers["retry-after"])
            waits.append(wait_s)
            bench.clock.now += wait_s - 0.01
            assert (await bench.ask(500)).status == 503
            bench.clock.now += 0.01
            assert (await bench.ask(500)).status == 500
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        bench.clock.now += LONGEST_S
        assert (await bench.ask(200)).status == 200
        bench.clock.now += QUIET_S
        await bench.fail()
        assert (await bench.ask()).headers["retry-after"] == "1"

    run(scenario)


def test_a_call_from_before_the_opening_closes_it_by_succeeding_and_not_more_by_failing() -> None:
    async def scenario(bench: Bench) -> None:
        releases = {500: asyncio.Event(), 200: asyncio.Event()}

        async def slow(request: Request) -> Response:
            status = int(request.body)
            await releases[status].wait()
            return Response(status=status)

        bench.engine.answer = slow
        bad, good = [
            asyncio.create_task(bench.breaker.invoke(Request(body=b"%d" % status, id="slow")))
            for status in releases
        ]
        await asyncio.sleep(0)
        bench.engine.answer = bench.moody
        await bench.fail()
        releases[500].set()
        await bad
        assert [event["message"][-16:] for event in bench.log] == ["refusing for 1 s"]
        releases[200].set()
        await good
        assert not bench.breaker.open

    run(scenario)


def test_it_is_ready_when_closed_and_its_engine_is() -> None:
    async def scenario(bench: Bench) -> None:
        bench.engine.ready = False
        assert not bench.breaker.ready

    run(scenario)


@given(st.lists(st.tuples(st.sampled_from(["good", "bad", "nothing"]), st.integers(0, 8), st.floats(0, 90))))
def test_it_never_refuses_for_longer_than_the_bound_nor_after_a_success(
    steps: list[tuple[str, int, float]],
) -> None:
    clock = HandClock()
    circuit = Circuit(clock)
    for how, what, seconds in steps:
        clock.now += seconds
        assert 0 <= circuit.refused_s <= LONGEST_S
        if circuit.refused_s:
            clock.now += circuit.refused_s
        probe = circuit.enter()
        match how:
            case "good":
                circuit.succeeded()
                assert circuit.refused_s == 0
            case "bad":
                circuit.failed(what, probe=probe)
                assert not probe or circuit.refused_s > 0
            case _:
                circuit.abandoned(probe=probe)
                assert circuit.refused_s == 0


def test_the_log_rounds_how_long_it_refuses() -> None:
    class Drifting(HandClock):
        def __call__(self) -> float:
            self.advance(5e-6)
            return self.now

    async def scenario(bench: Bench) -> None:
        bench.breaker = Breaker(bench.engine, bench.log.append, Drifting())
        await bench.fail()

    assert run(scenario).log[0]["message"].endswith("refusing for 1 s")

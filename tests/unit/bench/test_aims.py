"""Which aims a run met."""

from collections.abc import Callable

import pytest
from tests.bench.serving.aims import Aim, aims
from tests.bench.serving.figures import Place, Point
from tests.bench.serving.memory import BARE
from tests.bench.serving.room import Room
from tests.bench.serving.run import Memory, Options, Overload, Run


def make_run() -> Run:
    return Run(Room(), Options(), lambda text: None)


def measured(
    run: Run, scenario: str, name: str, connections: int, rps: float, p50: float, p99: float
) -> None:
    for number in range(3):
        run.record.add(Place(scenario, name, connections), number, Point(rps, p50, p99, 1000))


def found(run: Run, start: str) -> Aim:
    (aim,) = (aim for aim in aims(run) if aim.what.startswith(start))
    return aim


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    every = aims(make_run())
    assert len(every) > 15
    assert {aim.met for aim in every} == {None}


@pytest.mark.parametrize(("rps", "met"), [(3000.0, True), (2999.0, False)])
def test_an_aim_is_met_at_its_bound_and_missed_below(rps: float, met: bool) -> None:
    run = make_run()
    measured(run, "noop", "preheat", 32, rps, 1, 1)
    measured(run, "noop", "fastapi", 32, 1000, 1, 1)
    assert found(run, "no-op, 32: throughput over FastAPI's").met is met


def test_the_best_peer_leaves_out_bare_asgi_the_loop_and_ourselves() -> None:
    run = make_run()
    for name, rps in (("asgi-eager", 900), ("raw-loop", 950), ("preheat", 210), ("litserve-batch", 200)):
        measured(run, "embedding", name, 8, rps, 1, 1)
    assert found(run, "embedding, 8").found == pytest.approx(1.05)


def test_the_tail_is_compared_with_the_median_of_the_same_round() -> None:
    run = make_run()
    measured(run, "embedding", "preheat", 32, 1, 50, 80)
    assert found(run, "embedding, 32: p99 over p50").met is False


def test_memory_and_idle_processor_are_compared_with_the_bare_script() -> None:
    run = make_run()
    run.memory[BARE] = Memory(100, 200, None, 1, None)
    run.memory["Preheat"] = Memory(109, 230, 0.002, 1, 0.5)
    assert found(run, "memory when ready").met is True
    assert found(run, "memory after load").met is False
    assert found(run, "processor while idle").found == pytest.approx(0.2)


@pytest.fixture
def loads() -> Callable[..., Run]:
    def make(*, p99_ms: float = 300, hung: int = 0) -> Run:
        run = make_run()
        run.overload.append(
            [
                Overload(1.0, 100, 100, 0, 0, 0, 100, 200, None, None),
                Overload(4.0, 400, 100, 300 - hung, 0, hung, 150, p99_ms, 1.0, 5.0),
            ]
        )
        return run

    return make


def test_overload_compares_the_accepted_at_four_times_capacity_with_those_at_capacity(
    loads: Callable[..., Run],
) -> None:
    assert found(loads(), "overload: accepted").found == pytest.approx(1.5)
    assert found(loads(p99_ms=500), "overload: accepted").met is False
    assert found(loads(), "overload: p99 of a refusal").found == 5.0


def test_one_request_that_hangs_misses_the_aim(loads: Callable[..., Run]) -> None:
    assert found(loads(), "overload: requests that hung").met is True
    assert found(loads(hung=1), "overload: requests that hung").met is False

from hypothesis import given
from hypothesis import strategies as st

from preheat.project.model import Scaling
from preheat_providers.local.supervisor.scaling import Decision, Load, WorkerLoad, decide


def busy(name: str, in_flight: int = 1) -> WorkerLoad:
    return WorkerLoad(id=name, state="ready", in_flight=in_flight)


def idle(name: str, since: float = 0.0) -> WorkerLoad:
    return WorkerLoad(id=name, state="ready", idle_since=since)


def starting(name: str) -> WorkerLoad:
    return WorkerLoad(id=name, state="starting")


def load(
    *workers: WorkerLoad, waiting: int = 0, concurrency: int = 1, now: float = 0.0, after: float = 0.0
) -> Load:
    return Load(now=now, workers=workers, waiting=waiting, concurrency=concurrency, start_after=after)


def test_nothing_runs_while_nobody_asks() -> None:
    assert decide(Scaling(), load()) == Decision()


def test_the_first_request_starts_one_worker_and_the_next_of_a_batch_none() -> None:
    assert decide(Scaling(), load(waiting=1)).start == 1
    assert decide(Scaling(), load(starting("a"), waiting=8, concurrency=8)).start == 0


def test_waiting_requests_start_as_many_as_they_need_up_to_max() -> None:
    assert decide(Scaling(max=8), load(busy("a"), waiting=3)).start == 3
    assert decide(Scaling(max=2), load(busy("a"), waiting=3)).start == 1
    assert decide(Scaling(max=8), load(busy("a", 4), waiting=5, concurrency=4)).start == 2


def test_a_stopping_process_still_counts_against_max() -> None:
    leaving = WorkerLoad(id="a", state="stopping")
    assert decide(Scaling(max=1), load(leaving, waiting=1)).start == 0


def test_warm_workers_come_on_top_of_the_busy() -> None:
    scaling = Scaling(max=4, warm=1)
    assert decide(scaling, load()).start == 1
    assert decide(scaling, load(idle("a"))).start == 0
    assert decide(scaling, load(busy("a"))).start == 1


def test_min_workers_never_stop() -> None:
    assert decide(Scaling(min=1, idle_s=1), load(idle("a"), now=100)) == Decision()


def test_the_longest_idle_worker_stops_first_and_the_rest_are_looked_at_again() -> None:
    decision = decide(Scaling(idle_s=10), load(idle("new", 5), idle("old", 0), now=12))
    assert decision == Decision(stop=("old",), wake_at=15)


def test_after_failures_nothing_starts_until_the_back_off_is_over() -> None:
    assert decide(Scaling(), load(waiting=1, now=1, after=2)) == Decision(wake_at=2)
    assert decide(Scaling(), load(waiting=1, now=2, after=2)).start == 1


WORKERS = st.lists(
    st.one_of(
        st.builds(busy, st.just("w"), st.integers(1, 4)),
        st.builds(idle, st.just("w"), st.floats(0, 100)),
        st.just(starting("w")),
        st.just(WorkerLoad(id="w", state="stopping")),
    ),
    max_size=8,
)
SCALINGS = st.integers(1, 8).flatmap(
    lambda most: st.builds(
        Scaling,
        min=st.integers(0, most),
        max=st.just(most),
        warm=st.integers(0, 3),
        idle_s=st.floats(0, 50),
        concurrency=st.just(0),
        queue=st.just(8),
    )
)


@given(
    scaling=SCALINGS,
    workers=WORKERS,
    waiting=st.integers(0, 40),
    concurrency=st.integers(1, 8),
    now=st.floats(100, 200),
    after=st.floats(0, 300),
)
def test_the_bounds_hold_whatever_the_load(
    scaling: Scaling, workers: list[WorkerLoad], waiting: int, concurrency: int, now: float, after: float
) -> None:
    named = [
        WorkerLoad(id=str(n), state=each.state, in_flight=each.in_flight, idle_since=each.idle_since)
        for n, each in enumerate(workers)
    ]
    decision = decide(
        scaling, Load(now=now, workers=named, waiting=waiting, concurrency=concurrency, start_after=after)
    )
    by_id = {each.id: each for each in named}
    live = sum(each.state != "stopping" for each in named)

    assert decision.start + len(named) <= scaling.max or decision.start == 0
    assert decision.start == 0 or now >= after
    if decision.stop:
        assert live - len(decision.stop) >= min(scaling.min, live)
    for stopped in decision.stop:
        idle_since = by_id[stopped].idle_since
        assert idle_since is not None
        assert now - idle_since >= scaling.idle_s
        assert by_id[stopped].in_flight == 0
    assert decision.wake_at is None or decision.wake_at > now
    assert not (decision.start and decision.stop)

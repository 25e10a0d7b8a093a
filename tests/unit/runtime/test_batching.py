import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import HandClock

from preheat.runtime.batching import BatchCost, BatchPolicy


def policy(clock: HandClock, *, max_size: int = 4, max_wait_ms: float = 5.0) -> BatchPolicy[int]:
    return BatchPolicy(max_size=max_size, max_wait_ms=max_wait_ms, clock=clock)


def test_a_request_alone_never_waits() -> None:
    queue = policy(HandClock())
    assert queue.wait_s() is None
    queue.add(1)
    assert queue.wait_s() == 0
    assert queue.take() == [1]
    queue.done(1, 0.1)
    queue.add(2)
    assert queue.wait_s() == 0


def test_what_queued_while_the_last_batch_ran_goes_together() -> None:
    queue = policy(HandClock())
    queue.add(1)
    queue.take()
    for item in (2, 3, 4):
        queue.add(item)
    queue.done(1, 0.1)
    assert queue.wait_s() == 0
    assert queue.take() == [2, 3, 4]


def busy_with_company(clock: HandClock, *, one_s: float, three_s: float) -> BatchPolicy[int]:
    """A policy that has seen a batch of one and a batch of three, and so expects three again."""
    queue = policy(clock)
    for size, seconds in ((1, one_s), (3, three_s)):
        for item in range(size):
            queue.add(item)
        queue.take()
        queue.done(size, seconds)
    return queue


def test_where_a_batch_has_a_fixed_cost_the_first_waits_a_while_for_as_many_again() -> None:
    clock = HandClock()
    queue = busy_with_company(clock, one_s=0.008, three_s=0.008)
    queue.add(4)
    assert queue.wait_s() == pytest.approx(0.002)
    queue.add(5)
    queue.add(6)
    assert queue.wait_s() == 0


def test_where_batches_cost_only_by_item_nobody_waits() -> None:
    queue = busy_with_company(HandClock(), one_s=0.01, three_s=0.03)
    queue.add(4)
    assert queue.wait_s() == pytest.approx(0, abs=1e-9)


def test_waiting_for_company_ends_after_max_wait() -> None:
    clock = HandClock()
    queue = busy_with_company(clock, one_s=1.0, three_s=1.0)
    queue.add(4)
    assert queue.wait_s() == pytest.approx(0.005)
    clock.advance(0.006)
    assert queue.wait_s() == 0
    assert queue.take() == [4]
    queue.done(1, 1.0)
    queue.add(5)
    assert queue.wait_s() == 0, "company did not come, so the next request does not wait for it"


def test_a_removed_request_is_not_run() -> None:
    queue = policy(HandClock())
    queue.add(1)
    queue.add(2)
    assert queue.remove(1)
    assert not queue.remove(1)
    assert queue.take() == [2]


def test_a_request_past_its_deadline_is_in_no_batch() -> None:
    clock = HandClock()
    queue = policy(clock)
    queue.add(1, deadline=clock.now + 1)
    queue.add(2, deadline=clock.now + 3)
    queue.add(3)
    clock.advance(1)
    assert queue.wait_s() == 0
    assert queue.take() == [2, 3]
    queue.add(4, deadline=clock.now + 1)
    clock.advance(1)
    assert queue.wait_s() is None
    assert len(queue) == 0


def test_company_is_not_waited_for_where_that_would_cost_a_deadline() -> None:
    clock = HandClock()
    queue = busy_with_company(clock, one_s=0.008, three_s=0.008)
    queue.add(4, deadline=clock.now + 0.0021)
    assert queue.wait_s() == pytest.approx(0.002)
    queue.add(5, deadline=clock.now + 0.0019)
    assert queue.wait_s() == 0


def test_a_deadline_that_was_taken_or_removed_hurries_nobody() -> None:
    clock = HandClock()
    queue = busy_with_company(clock, one_s=0.008, three_s=0.008)
    queue.add(4, deadline=clock.now + 0.001)
    assert queue.take() == [4]
    queue.add(5)
    assert queue.wait_s() == pytest.approx(0.002)
    queue.add(6, deadline=clock.now + 0.0015)
    queue.remove(6)
    clock.advance(0.0015)
    assert queue.wait_s() == pytest.approx(0.0005)


def test_grouped_requests_run_with_those_of_their_size_once_batches_cost_by_size() -> None:
    queue: BatchPolicy[str] = BatchPolicy(max_size=4, max_wait_ms=5, clock=HandClock(), grouped=True)
    for size, seconds in ((10, 0.02), (100, 0.11)):
        queue.add(f"first of {size}", size=size)
        queue.take()
        queue.done(1, seconds)
    for name, size in (("a", 10), ("B", 100), ("b", 10), ("C", 100), ("c", 10), ("D", 100), ("E", 100)):
        queue.add(name, size=size)
    assert queue.take() == ["a", "b"]
    queue.done(2, 0.03)
    assert queue.take() == ["B", "C"]
    assert len(queue) == 3


def test_batches_that_differ_in_padded_units_teach_the_fixed_cost() -> None:
    cost = BatchCost()
    for units in (10, 200, 40, 90):
        cost.learn(units, 0.006 + 0.001 * units)
    assert cost.fixed_s == pytest.approx(0.006)
    assert cost.fixed_units == pytest.approx(6)


def test_what_is_learned_stays_while_batches_are_alike() -> None:
    cost = BatchCost()
    cost.learn(10, 0.02)
    cost.learn(20, 0.03)
    for _ in range(200):
        cost.learn(20, 0.03)
    assert cost.fixed_s == pytest.approx(0.01)


def test_where_units_cost_nothing_the_fixed_cost_is_worth_endless_units() -> None:
    cost = BatchCost()
    cost.learn(10, 0.02)
    cost.learn(1000, 0.02)
    assert cost.fixed_s == pytest.approx(0.02)
    assert cost.fixed_units > 1e6


@given(st.lists(st.tuples(st.floats(0, 0.02), st.booleans()), max_size=40), st.floats(0, 20))
def test_nobody_waits_longer_for_company_than_max_wait(
    steps: list[tuple[float, bool]], max_wait_ms: float
) -> None:
    clock = HandClock()
    queue = policy(clock, max_wait_ms=max_wait_ms)
    free_since = clock.now
    oldest: float | None = None
    for turn, (pause_s, arrives) in enumerate(steps):
        clock.advance(pause_s)
        if arrives:
            queue.add(turn)
            oldest = clock.now if oldest is None else oldest
        wait_s = queue.wait_s()
        if wait_s is not None and oldest is not None:
            assert clock.now + wait_s <= max(oldest, free_since, clock.now - 1e-9) + max_wait_ms / 1000 + 1e-6
            if wait_s == 0:
                size = len(queue.take())
                queue.done(size, 0.05 + 0.001 * size)
                oldest, free_since = None, clock.now

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.runtime.batching import BatchPolicy


class HandClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


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
    clock.now += 0.006
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


Events = st.lists(st.sampled_from(["add", "take", "remove", "tick"]), max_size=60)


@given(events=Events, max_size=st.integers(1, 5), max_wait_ms=st.floats(0, 50))
def test_nothing_is_lost_doubled_or_reordered_and_no_batch_is_too_large(
    events: list[str], max_size: int, max_wait_ms: float
) -> None:
    clock = HandClock()
    queue = policy(clock, max_size=max_size, max_wait_ms=max_wait_ms)
    added, taken, removed = 0, list[int](), set[int]()
    for event in events:
        match event:
            case "add":
                queue.add(added)
                added += 1
            case "remove" if added:
                if queue.remove(added - 1):
                    removed.add(added - 1)
            case "tick":
                clock.now += 0.003
            case "take":
                batch = queue.take()
                assert len(batch) <= max_size
                taken += batch
                if batch:
                    queue.done(len(batch), 0.01 + 0.001 * len(batch))
    while queue.wait_s() is not None:
        batch = queue.take()
        assert 0 < len(batch) <= max_size
        taken += batch
    assert taken == sorted(taken)
    assert set(taken) | removed == set(range(added))
    assert len(taken) + len(removed) == added


@given(st.lists(st.tuples(st.floats(0, 0.02), st.booleans()), max_size=40), st.floats(0, 20))
def test_nobody_waits_longer_for_company_than_max_wait(
    steps: list[tuple[float, bool]], max_wait_ms: float
) -> None:
    clock = HandClock()
    queue = policy(clock, max_wait_ms=max_wait_ms)
    free_since = clock.now
    oldest: float | None = None
    for pause_s, arrives in steps:
        clock.now += pause_s
        if arrives:
            queue.add(0)
            oldest = clock.now if oldest is None else oldest
        wait_s = queue.wait_s()
        if wait_s is not None and oldest is not None:
            assert clock.now + wait_s <= max(oldest, free_since, clock.now - 1e-9) + max_wait_ms / 1000 + 1e-6
            if wait_s == 0:
                size = len(queue.take())
                queue.done(size, 0.05 + 0.001 * size)
                oldest, free_since = None, clock.now

from preheat.runtime.server.restarts import STEADY_S, Restarts
from preheat.runtime.supervision import FIRST_BACKOFF_S


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_failure_costs_no_wait_and_each_further_one_doubles_it() -> None:
    restarts = Restarts(Clock())
    waits = [restarts.ended(0, lived_s=1.0) for _ in range(4)]
    assert waits == [0.0, FIRST_BACKOFF_S, 2 * FIRST_BACKOFF_S, 4 * FIRST_BACKOFF_S]


def test_a_worker_that_lived_long_is_replaced_at_once_whatever_went_before() -> None:
    restarts = Restarts(Clock())
    for _ in range(5):
        restarts.ended(0, lived_s=1.0)
    assert restarts.ended(0, lived_s=STEADY_S) == 0.0
    assert restarts.ended(0, lived_s=1.0) == FIRST_BACKOFF_S


def test_one_slots_failures_do_not_delay_another() -> None:
    restarts = Restarts(Clock())
    for _ in range(5):
        restarts.ended(0, lived_s=1.0)
    assert restarts.ended(1, lived_s=1.0) == 0.0


def test_a_slot_is_due_once_and_when_its_time_has_come() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    assert restarts.wakes_in_s() is None
    restarts.ended(0, lived_s=1.0)
    assert restarts.take_due() == [0]
    assert restarts.take_due() == []
    restarts.ended(0, lived_s=1.0)
    assert restarts.wakes_in_s() == FIRST_BACKOFF_S
    assert restarts.take_due() == []
    clock.now += FIRST_BACKOFF_S
    assert restarts.wakes_in_s() == 0.0
    assert restarts.take_due() == [0]
    assert restarts.wakes_in_s() is None

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import HandClock

from preheat.errors import Overloaded
from preheat.runtime.admission import TRUSTED_ANSWERS, WINDOW_S, Admission, Throughput


def worked(
    clock: HandClock, throughput: Throughput, *, seconds: float, every_s: float, size: int = 1
) -> None:
    """Let `size` answers come every `every_s` for `seconds` in which requests wait."""
    throughput.pressed(True)
    for _ in range(round(seconds / every_s)):
        clock.now += every_s
        for _ in range(size):
            throughput.answered()


@pytest.mark.parametrize(
    ("every_s", "size"), [(0.001, 1), (0.1, 1), (0.05, 32), (2.0, 32), (1.0, 1), (10.0, 1), (90.0, 1)]
)
def test_the_time_for_a_queue_follows_the_measured_rate(every_s: float, size: int) -> None:
    clock = HandClock()
    throughput = Throughput(clock)
    worked(clock, throughput, seconds=40 * max(every_s, 1.0), every_s=every_s, size=size)
    assert throughput.seconds_for(size * 10) == pytest.approx(10 * every_s, rel=0.2)


def test_nothing_is_known_before_the_first_answers() -> None:
    clock = HandClock()
    throughput = Throughput(clock)
    assert throughput.seconds_for(10) is None
    worked(clock, throughput, seconds=TRUSTED_ANSWERS - 1, every_s=1.0)
    assert throughput.seconds_for(10) is None


def test_answers_at_leisure_say_nothing() -> None:
    clock = HandClock()
    throughput = Throughput(clock)
    for _ in range(100):
        clock.now += 1.0
        throughput.answered()
    assert throughput.seconds_for(10) is None


def test_an_idle_hour_changes_nothing() -> None:
    clock = HandClock()
    throughput = Throughput(clock)
    worked(clock, throughput, seconds=30, every_s=0.1)
    throughput.pressed(False)
    before = throughput.seconds_for(100)
    clock.now += 3600
    assert throughput.seconds_for(100) == before == pytest.approx(10, rel=0.1)


def test_a_model_that_became_slower_is_noticed_within_a_few_windows() -> None:
    clock = HandClock()
    throughput = Throughput(clock)
    worked(clock, throughput, seconds=60, every_s=0.01)
    worked(clock, throughput, seconds=6 * WINDOW_S, every_s=0.5)
    assert throughput.seconds_for(10) == pytest.approx(5, rel=0.3)


def test_when_answers_stop_coming_the_rate_falls_and_then_is_not_known() -> None:
    clock = HandClock()
    throughput = Throughput(clock)
    worked(clock, throughput, seconds=30, every_s=1.0)
    steady = throughput.seconds_for(10) or 0
    clock.now += 5
    assert (throughput.seconds_for(10) or 0) > 1.3 * steady
    clock.now += 120
    assert throughput.seconds_for(10) is None


def refusal(admission: Admission, *, ahead: int, room: int, timeout_s: float = 1e9) -> Overloaded:
    with pytest.raises(Overloaded) as caught:
        admission.check(ahead=ahead, room=room, timeout_s=timeout_s)
    return caught.value


def test_a_full_queue_is_refused_until_it_will_be_empty() -> None:
    clock = HandClock()
    admission = Admission(clock)
    assert refusal(admission, ahead=4, room=4).retry_after_s == 1.0
    worked(clock, admission.throughput, seconds=40, every_s=0.5)
    admission.check(ahead=3, room=4)
    assert refusal(admission, ahead=20, room=20).retry_after_s == pytest.approx(10, rel=0.1)
    assert refusal(admission, ahead=1, room=1).retry_after_s == 1.0
    assert refusal(admission, ahead=10_000, room=5).retry_after_s == 60.0


def test_a_request_that_would_only_wait_to_be_late_is_refused_at_once() -> None:
    clock = HandClock()
    admission = Admission(clock)
    admission.check(ahead=100, room=128, timeout_s=0.001)  # nothing is known yet
    worked(clock, admission.throughput, seconds=40, every_s=0.5)
    admission.check(ahead=10, room=128, timeout_s=8)
    late = refusal(admission, ahead=10, room=128, timeout_s=2)
    assert late.message.startswith("10 requests are ahead of this one, which takes about ")
    assert late.message.endswith("this one may take 2 s.")
    assert late.retry_after_s == pytest.approx(5, rel=0.1)


Ticks = st.lists(st.tuples(st.booleans(), st.floats(0, 100), st.integers(0, 40)), max_size=60)


@given(Ticks, st.integers(1, 200), st.integers(1, 200))
def test_a_longer_queue_never_takes_less_time_and_retry_after_keeps_its_bounds(
    ticks: list[tuple[bool, float, int]], one: int, more: int
) -> None:
    clock = HandClock()
    admission = Admission(clock)
    for pressed, seconds, answers in ticks:
        admission.throughput.pressed(pressed)
        clock.now += seconds
        for _ in range(answers):
            admission.throughput.answered()
    short, long = admission.throughput.seconds_for(one), admission.throughput.seconds_for(one + more)
    assert (short is None) == (long is None)
    assert short is None or long is None or 0 <= short <= long
    retry_s = refusal(admission, ahead=one, room=one).retry_after_s
    assert retry_s is not None
    assert 1 <= retry_s <= 60

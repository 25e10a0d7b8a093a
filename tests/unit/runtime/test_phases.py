"""The steps of a start: how long they took, and what is said where one fails."""

import traceback

import pytest
from tests.fakes.clock import Ticks

from preheat import HandlerError
from preheat.runtime.phases import PhaseClock, PhaseFailed


def test_time_in_a_phase_taken_twice_adds_up() -> None:
    clock = PhaseClock(Ticks())
    for _ in range(2):
        with clock.phase("import"):
            pass
    assert [(phase.name, phase.ms) for phase in clock.phases] == [("import", 2000.0)]


def test_a_phase_that_fails_keeps_what_a_handler_error_says_and_its_hint() -> None:
    clock = PhaseClock()
    with pytest.raises(PhaseFailed) as caught, clock.phase("import"):
        raise HandlerError("no predict", hint="def predict(...)")
    assert (caught.value.message, caught.value.hint) == ("no predict", "def predict(...)")
    assert clock.phases == ()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), ValueError("why")])
def test_whatever_a_phase_raises_names_the_phase(error: BaseException) -> None:
    with pytest.raises(PhaseFailed) as caught, PhaseClock().phase("setup"):
        raise error
    assert caught.value.phase == "setup"
    assert type(error).__name__ in caught.value.message
    assert caught.value.traceback.endswith("".join(traceback.format_exception_only(error)))

import pytest
from tests.fakes.starts import mark, sample

from preheat.coldstart.model import Phase, Sample
from preheat.coldstart.phases import phases_of, typical

MARKS = (
    mark("up", "interpreter", 9, 9.1),
    mark("phase", "import", 30, 50),
    mark("load", "onnxruntime.InferenceSession", 55, 75),
    mark("phase", "setup", 50, 80),
    mark("phase", "warm-up", 80, 86),
)


def start(*more: dict[str, object]) -> Sample:
    return sample(marks=(*MARKS, *more))


def test_the_phases_of_a_start_cover_it_from_its_process_to_its_second_answer() -> None:
    outer = [phase for phase in phases_of(start()) if phase.within is None]
    ends = [phase.start_ms + phase.ms for phase in outer]
    assert [phase.start_ms for phase in outer[1:]] == pytest.approx(ends[:-1])
    assert outer[0].start_ms == 0.0
    assert ends[-1] == pytest.approx(104.0)


def test_what_preheat_does_before_the_handler_has_a_name() -> None:
    phases = {phase.name: phase for phase in phases_of(start())}
    assert phases["interpreter"].ms == pytest.approx(9)
    assert phases["preheat"].ms == pytest.approx(21)
    assert phases["opening"].ms == pytest.approx(4)


def test_a_session_is_a_part_of_the_phase_that_opens_it() -> None:
    (load,) = [phase for phase in phases_of(start()) if phase.within]
    assert (load.name, load.within) == ("onnxruntime.InferenceSession", "setup")
    assert load.ms == pytest.approx(20)


def test_a_typical_start_has_the_median_of_each_phase() -> None:
    starts = [[Phase(name="setup", start_ms=0.0, ms=ms)] for ms in (10.0, 50.0, 12.0)]
    assert [phase.ms for phase in typical(starts)] == [12.0]


def test_the_second_session_is_not_mixed_with_the_first() -> None:
    two = [Phase(name="load", start_ms=0.0, ms=ms, within="setup") for ms in (10.0, 20.0)]
    assert [phase.ms for phase in typical([two, two])] == [10.0, 20.0]


def test_a_phase_that_hardly_takes_time_is_left_out() -> None:
    assert typical([[Phase(name="restore", start_ms=1.0, ms=0.01)]]) == ()

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
    phases = {phase.name: phase for phase in typical([phases_of(start())])}
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


def test_a_typical_start_has_no_gaps() -> None:
    starts = [
        [Phase(name="import", start_ms=0.0, ms=ms), Phase(name="setup", start_ms=ms, ms=100 - ms)]
        for ms in (10.0, 50.0, 20.0)
    ]
    first, second = typical(starts)
    assert (first.start_ms, first.ms, second.start_ms, second.ms) == (0.0, 20.0, 20.0, 80.0)


def test_a_phase_that_comes_in_pieces_is_shown_as_one() -> None:
    in_pieces = sample(
        marks=(
            mark("up", "interpreter", 10, 10.1),
            mark("phase", "import", 30, 50),
            mark("phase", "import", 55, 60),
            mark("phase", "setup", 60, 86),
        )
    )
    found = {phase.name: (phase.start_ms, phase.ms) for phase in typical([phases_of(in_pieces)])}
    assert found["preheat"] == pytest.approx((10, 25))
    assert found["import"] == pytest.approx((35, 25))
    assert found["setup"] == pytest.approx((60, 26))


def test_what_begins_between_two_phases_is_a_part_of_the_earlier_one() -> None:
    marks = (
        mark("up", "interpreter", 10, 10.1),
        mark("phase", "import", 30, 50),
        mark("load", "onnxruntime.InferenceSession", 52, 70),
        mark("phase", "setup", 60, 86),
    )
    (load,) = [phase for phase in phases_of(sample(marks=marks)) if phase.within]
    assert load.within == "import"


def test_the_second_session_is_not_mixed_with_the_first() -> None:
    two = [Phase(name="load", start_ms=0.0, ms=ms, within="setup") for ms in (10.0, 20.0)]
    starts = [[Phase(name="setup", start_ms=0.0, ms=40.0), *two]] * 2
    assert [phase.ms for phase in typical(starts)] == [40.0, 10.0, 20.0]


def test_what_a_thread_opens_is_shown_in_the_phase_that_it_usually_begins_in() -> None:
    def one(within: str, since_ms: float) -> list[Phase]:
        at_ms = {"import": 0.0, "setup": 30.0}[within] + since_ms
        part = Phase(name="load", start_ms=at_ms, ms=50.0, within=within)
        outer = [Phase(name="import", start_ms=0.0, ms=30.0), Phase(name="setup", start_ms=30.0, ms=60.0)]
        return [*outer, part]

    found = typical([one("import", 25.0), one("setup", 1.0), one("setup", 3.0)])
    assert [(phase.name, phase.within) for phase in found] == [
        ("import", None),
        ("setup", None),
        ("load", "setup"),
    ]
    assert found[-1].start_ms == 32.0


def test_a_session_that_the_first_answer_opens_is_a_part_of_it() -> None:
    late = start(mark("load", "onnxruntime.InferenceSession", 92, 97))
    assert [phase.within for phase in phases_of(late) if phase.within] == ["setup", "first answer"]


def test_a_phase_that_hardly_takes_time_is_left_out() -> None:
    assert typical([[Phase(name="restore", start_ms=1.0, ms=0.01)]]) == ()

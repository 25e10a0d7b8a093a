"""The order of starts, what is compared with what, and what a failure costs."""

from pathlib import Path

import pytest
from tests.fakes.tuning import FakeBench, figures, off_by

from preheat.errors import TuningError
from preheat.progress import quiet
from preheat.tuning.experiment import Experiment
from preheat.tuning.variants import DEFAULT, candidates

EXTENDED = [variant for variant in candidates((), fuse=False) if variant.graph.name == "extended"]
PACKED, UNPACKED, ANSWER_FIRST = EXTENDED


def experiment(bench: FakeBench, tmp_path: Path, *, rounds: int = 2, tolerance: float = 0.01) -> Experiment:
    return Experiment(bench, tmp_path, rounds, tolerance, quiet)


def test_sessions_are_started_in_turn_and_one_round_more_than_counts(tmp_path: Path) -> None:
    bench = FakeBench()
    experiment(bench, tmp_path).run([DEFAULT, PACKED])
    assert [name for name, _ in bench.starts] == ["original", "extended"] * 3


def test_a_session_that_two_variants_share_is_measured_once_a_round(tmp_path: Path) -> None:
    bench = FakeBench()
    experiment(bench, tmp_path, rounds=1).run([DEFAULT, *EXTENDED])
    assert len(bench.starts) == 2 * 3


def test_answer_first_loads_as_one_session_and_goes_on_as_the_other(tmp_path: Path) -> None:
    bench = FakeBench(
        {
            ("extended", False): figures(load_ms=10, first_ms=5, steady_ms=3),
            ("extended", True): figures(load_ms=40, first_ms=2, steady_ms=1),
        }
    )
    *_, found = experiment(bench, tmp_path).run([DEFAULT, ANSWER_FIRST])
    assert (found.cold_ms, found.settled.steady_ms) == (15, 1)


def test_a_variant_is_as_far_off_as_the_worse_of_its_sessions(tmp_path: Path) -> None:
    bench = FakeBench(
        deviations={
            ("original", "extended unpacked"): off_by(3e-7),
            ("extended unpacked", "extended"): off_by(2e-7),
        }
    )
    *_, found = experiment(bench, tmp_path).run([DEFAULT, ANSWER_FIRST])
    assert found.deviation.max_rel == 3e-7
    assert found.swap is not None
    assert found.swap.max_rel == 2e-7


@pytest.mark.parametrize(("tolerance", "usable"), [(0.01, True), (0.0, False)])
def test_the_tolerance_decides_on_a_swap_of_other_bits(
    tmp_path: Path, tolerance: float, usable: bool
) -> None:
    bench = FakeBench(deviations={("extended unpacked", "extended"): off_by(2e-7)})
    *_, found = experiment(bench, tmp_path, tolerance=tolerance).run([DEFAULT, ANSWER_FIRST])
    assert found.usable is usable


def test_a_graph_that_cannot_be_made_is_told_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    run = experiment(FakeBench(broken=["extended"]), tmp_path)
    assert [found.variant.name for found in run.run([DEFAULT, *EXTENDED])] == ["default"]
    assert [(failure.name, failure.reason) for failure in run.failures] == [
        ("extended", "extended is beyond us")
    ]


def test_a_session_that_cannot_be_opened_takes_its_variants_with_it(tmp_path: Path) -> None:
    run = experiment(FakeBench(unusable=["extended"]), tmp_path)
    assert [found.variant.name for found in run.run([DEFAULT, *EXTENDED])] == ["default"]
    assert {failure.reason for failure in run.failures} == {"no such kernel"}


def test_a_model_that_does_not_run_as_it_is_ends_it_all(tmp_path: Path) -> None:
    with pytest.raises(TuningError, match="no such kernel"):
        experiment(FakeBench(unusable=["original"]), tmp_path).run([DEFAULT, PACKED])


def test_a_second_heat_makes_nothing_again(tmp_path: Path) -> None:
    bench = FakeBench()
    run = experiment(bench, tmp_path)
    for variants in ([DEFAULT, PACKED], [DEFAULT, UNPACKED]):
        run.run(variants)
    assert bench.made == ["original", "extended"]


def test_the_middle_of_the_rounds_counts(tmp_path: Path) -> None:
    class Noisy(FakeBench):
        def measure(self, *args: object) -> object:  # type: ignore[override]
            super().measure(*args)  # type: ignore[arg-type]
            return figures(load_ms=[999, 10, 11, 500][len(self.starts) - 1])

    (found,) = experiment(Noisy(), tmp_path, rounds=3).run([DEFAULT])
    assert found.load.load_ms == 11

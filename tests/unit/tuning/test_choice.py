"""Which variant wins, and which may not."""

from dataclasses import replace

import pytest
from tests.fakes.tuning import SAME, figures, off_by, outcome

from preheat.tuning.choice import Deviation, Outcome, choose, frontier, refined, rejection
from preheat.tuning.variants import Graph, Objective, Settings, Variant

EXACT = Variant(name="extended", graph=Graph(name="extended"), load=Settings())
LOSSY = Variant(name="int8", graph=Graph(name="int8", lossy=True), load=Settings())

OUTCOMES = (
    outcome("default", cold_ms=100, steady_ms=2.0, size=1000),
    outcome("quick", cold_ms=20, steady_ms=3.0, size=1000),
    outcome("strong", cold_ms=60, steady_ms=1.0, size=1000),
    outcome("small", cold_ms=90, steady_ms=2.5, size=250),
)


@pytest.mark.parametrize(
    ("objective", "winner"), [("cold", "quick"), ("throughput", "strong"), ("size", "small")]
)
def test_each_objective_has_its_winner(objective: Objective, winner: str) -> None:
    assert choose(OUTCOMES, objective).variant.name == winner


def test_among_equals_the_next_figure_decides() -> None:
    near = [
        outcome("first", cold_ms=20.0, steady_ms=3.0),
        outcome("second", cold_ms=20.5, steady_ms=2.0),
        outcome("third", cold_ms=21.0, steady_ms=1.0),
    ]
    assert choose(near, "cold").variant.name == "second"


def test_neither_a_rejected_variant_nor_one_for_reference_wins() -> None:
    left = [
        outcome("best", cold_ms=1, rejected="wrong"),
        outcome("ort", cold_ms=2, reference_only="tied"),
        outcome("default", cold_ms=100),
    ]
    assert choose(left, "cold").variant.name == "default"


def test_a_switch_must_be_worth_it() -> None:
    base = outcome("base", cold_ms=20)
    assert refined(base, [outcome("a little", cold_ms=18.5)], "cold") is base
    assert refined(base, [outcome("a lot", cold_ms=17)], "cold").variant.name == "a lot"


def test_a_switch_that_makes_something_else_worse_is_not_taken() -> None:
    base = outcome("base", cold_ms=20, steady_ms=2.0)
    assert refined(base, [outcome("one thread", cold_ms=15, steady_ms=3.0)], "cold") is base


def test_the_front_holds_what_no_other_beats_in_everything() -> None:
    worse = outcome("worse", cold_ms=101, steady_ms=2.0, size=1000)
    rejected = outcome("rejected", cold_ms=1, rejected="wrong")
    names = [each.variant.name for each in frontier([*OUTCOMES, worse, rejected])]
    assert names == ["quick", "strong", "small"]


@pytest.mark.parametrize(
    ("variant", "deviation", "tolerance", "reason"),
    [
        (EXACT, off_by(1e-6), 0.01, None),
        (EXACT, off_by(2e-4), 0.01, "2.0e-04"),
        (EXACT, off_by(1e-6), 0.0, "the tolerance is 0"),
        (EXACT, SAME, 0.0, None),
        (LOSSY, off_by(0.2, cosine=0.995), 0.01, None),
        (LOSSY, off_by(0.2, cosine=0.94), 0.01, "cosine 0.9400 is below 0.99"),
        (LOSSY, off_by(0.2, cosine=0.94), 0.1, None),
        (LOSSY, SAME, 0.0, None),
        (LOSSY, off_by(1e-9, cosine=1.0), 0.0, "the tolerance is 0"),
    ],
)
def test_answers_that_are_too_far_off_reject_a_variant(
    variant: Variant, deviation: Deviation, tolerance: float, reason: str | None
) -> None:
    found = rejection(variant, deviation, None, tolerance)
    assert found is None if reason is None else found is not None and reason in found


def test_another_shape_rejects_even_what_may_lose() -> None:
    apart = Deviation(identical=False, max_abs=float("inf"), max_rel=float("inf"), cosine=1.0)
    assert "another shape" in (rejection(LOSSY, apart, None, 0.01) or "")


def test_the_second_session_must_answer_as_the_first_one_did() -> None:
    assert "second session" in (rejection(LOSSY, off_by(0.1, 0.995), off_by(0.01), 0.01) or "")
    assert rejection(LOSSY, off_by(0.1, 0.995), off_by(1e-6), 0.01) is None
    assert "tolerance is 0" in (rejection(EXACT, SAME, off_by(1e-7), 0.0) or "")


def test_a_cold_start_is_the_session_and_its_first_answer() -> None:
    swapped: Outcome = replace(OUTCOMES[0], load=figures(10, 5, 9), settled=figures(40, 2, 1))
    assert swapped.cold_ms == 15

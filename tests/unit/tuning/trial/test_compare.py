"""How far answers are from others."""

import math
from pathlib import Path

import numpy as np
import pytest

from preheat.tuning.trial.compare import deviation, run


def apart(right: object, other: object) -> dict[str, float]:
    found: dict[str, float] = deviation(np, np.asarray(right), np.asarray(other))
    return found


def test_the_same_bits_are_identical() -> None:
    assert apart([1.0, math.nan], [1.0, math.nan]) == {
        "identical": True,
        "max_abs": 0.0,
        "max_rel": 0.0,
        "cosine": 1.0,
    }


def test_the_largest_difference_counts_by_the_largest_value() -> None:
    found = apart([0.001, 10.0], [0.002, 10.5])
    assert (found["identical"], found["max_abs"], found["max_rel"]) == (False, 0.5, 0.05)
    assert found["cosine"] == pytest.approx(1.0, abs=1e-6)


def test_opposite_vectors_have_the_cosine_of_opposites() -> None:
    assert apart([1.0, 0.0], [-1.0, 0.0])["cosine"] == -1.0


def test_whole_numbers_are_right_or_wrong() -> None:
    found = apart([1, 2, 3, 4], [1, 2, 3, 5])
    assert (found["cosine"], found["max_rel"]) == (0.75, 0.25)


@pytest.mark.parametrize(
    ("right", "other"),
    [
        ([1.0, 2.0], [[1.0, 2.0]]),
        ([1.0], [1]),
        ([1.0, 2.0], [1.0, math.nan]),
        ([1.0, math.inf], [1.0, -math.inf]),
    ],
)
def test_what_cannot_be_compared_is_infinitely_far(right: object, other: object) -> None:
    assert apart(right, other)["max_abs"] == math.inf


def test_nothing_but_zeros_is_far_from_anything_else() -> None:
    assert apart([0.0, 0.0], [0.0, 1.0])["cosine"] == 0.0
    assert apart([0.0], [-0.0])["cosine"] == 1.0


def test_the_worst_of_all_outputs_counts(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=np.ones(3), second=np.ones(3))
    np.savez(tmp_path / "b.npz", first=np.ones(3), second=np.array([1.0, 1.0, 0.5]))
    pair = [str(tmp_path / "a.npz"), str(tmp_path / "b.npz")]
    ((found),) = run({"pairs": [pair]})["deviations"]
    assert (found["identical"], found["max_rel"]) == (False, 0.5)

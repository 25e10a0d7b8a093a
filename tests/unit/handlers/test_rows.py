from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from preheat_handlers.rows import Feeds, run_rows

requests = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3)), max_size=6)


def doubled(feeds: Feeds) -> Sequence[Any]:
    return [feeds["x"] * 2, feeds["x"].sum(axis=1)]


@given(requests)
def test_together_gives_what_each_alone_gives(shapes: list[tuple[int, int]]) -> None:
    rng = np.random.default_rng(1)
    inputs: list[Feeds] = [{"x": rng.integers(0, 9, shape)} for shape in shapes]
    calls: list[int] = []

    def run(feeds: Feeds) -> Sequence[Any]:
        calls.append(1)
        return doubled(feeds)

    together = run_rows(run, inputs)
    assert len(calls) == len({shape[1] for shape in shapes})
    for found, feeds in zip(together, inputs, strict=True):
        assert not isinstance(found, Exception)
        assert all(np.array_equal(*pair) for pair in zip(found, doubled(feeds), strict=True))


def test_one_that_fails_fails_alone() -> None:
    def run(feeds: Feeds) -> Sequence[Any]:
        if (feeds["x"] < 0).any():
            raise ValueError("below zero")
        return [feeds["x"]]

    bad, good = run_rows(run, [{"x": np.array([-1])}, {"x": np.array([1])}])
    assert isinstance(bad, ValueError)
    assert not isinstance(good, Exception)
    assert good[0].tolist() == [1]


def test_outputs_without_a_row_for_each_are_made_one_by_one() -> None:
    sizes: list[int] = []

    def run(feeds: Feeds) -> Sequence[Any]:
        sizes.append(len(feeds["x"]))
        return [feeds["x"].sum()]

    found = run_rows(run, [{"x": np.array([1])}, {"x": np.array([2])}])
    assert [int(each[0]) for each in found if not isinstance(each, Exception)] == [1, 2]
    assert sizes == [2, 1, 1]


def test_arrays_without_rows_stay_apart() -> None:
    found = run_rows(lambda feeds: [feeds["x"] + 1], [{"x": np.array(1)}, {"x": np.array(2)}])
    assert [int(each[0]) for each in found if not isinstance(each, Exception)] == [2, 3]

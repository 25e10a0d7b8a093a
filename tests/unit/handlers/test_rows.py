from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat_handlers.rows import PROOFS, Feeds, Trust, run_rows

TRUSTED = Trust(proofs=0)

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

    together = run_rows(run, inputs, TRUSTED)
    assert len(calls) == len({shape[1] for shape in shapes})
    for found, feeds in zip(together, inputs, strict=True):
        assert not isinstance(found, Exception)
        assert all(np.array_equal(*pair) for pair in zip(found, doubled(feeds), strict=True))


def test_one_that_fails_fails_alone() -> None:
    def run(feeds: Feeds) -> Sequence[Any]:
        if (feeds["x"] < 0).any():
            raise ValueError("below zero")
        return [feeds["x"]]

    bad, good = run_rows(run, [{"x": np.array([-1])}, {"x": np.array([1])}], TRUSTED)
    assert isinstance(bad, ValueError)
    assert not isinstance(good, Exception)
    assert good[0].tolist() == [1]


def test_outputs_without_a_row_for_each_are_made_one_by_one() -> None:
    sizes: list[int] = []

    def run(feeds: Feeds) -> Sequence[Any]:
        sizes.append(len(feeds["x"]))
        return [feeds["x"].sum()]

    found = run_rows(run, [{"x": np.array([1])}, {"x": np.array([2])}], TRUSTED)
    assert [int(each[0]) for each in found if not isinstance(each, Exception)] == [1, 2]
    assert sizes == [2, 1, 1]


def test_arrays_without_rows_stay_apart() -> None:
    found = run_rows(lambda feeds: [feeds["x"] + 1], [{"x": np.array(1)}, {"x": np.array(2)}], TRUSTED)
    assert [int(each[0]) for each in found if not isinstance(each, Exception)] == [2, 3]


class Counted:
    """A model that counts the rows of each of its runs."""

    def __init__(self, model: Callable[[Any], Any]) -> None:
        self.model = model
        self.sizes: list[int] = []

    def __call__(self, feeds: Feeds) -> Sequence[Any]:
        self.sizes.append(len(feeds["x"]))
        return [self.model(feeds["x"])]


def asked(run: Counted, trust: Trust, *rows: float) -> list[Any]:
    """Return what is answered to requests of one row each, all at once."""
    found = run_rows(run, [{"x": np.array([[row, 1.0]], np.float32)} for row in rows], trust)
    return [each if isinstance(each, Exception) else each[0].tolist() for each in found]


def scaled(x: Any) -> Any:
    step = np.abs(x).max() / 3
    return np.round(x / step) * step


@pytest.mark.parametrize(
    "mixing",
    [
        lambda x: x - x.mean(axis=0),
        lambda x: np.cumsum(x, axis=0),
        lambda x: np.cumsum(x[::-1], axis=0)[::-1],
        lambda x: x[::-1],
        scaled,
        lambda x: x[:, 0] == x[:, 0].max(),
        lambda x: np.array([str(row[0] == x[:, 0].max()) for row in x], object),
    ],
)
def test_a_model_that_mixes_rows_is_found_out_and_gets_each_request_alone(
    mixing: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    run, trust = Counted(mixing), Trust()
    expected = [mixing(np.array([[row, 1.0]], np.float32)).tolist() for row in (1.0, 10.0, 2.0)]
    with caplog.at_level("WARNING"):
        assert asked(run, trust, 1.0, 10.0, 2.0) == expected
        run.sizes.clear()
        assert asked(run, trust, 1.0, 10.0, 2.0) == expected
    assert run.sizes == [1, 1, 1]
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "The model answers requests otherwise when they run together than alone"
    ]


def test_one_that_keeps_them_apart_is_trusted_after_a_few_runs() -> None:
    run, trust = Counted(lambda x: x * np.float32(1.0001)), Trust()
    for _ in range(PROOFS):
        asked(run, trust, 1.0, 2.0, 3.0)
    assert run.sizes == [3, 1, 1] * PROOFS
    run.sizes.clear()
    assert asked(run, trust, 1.0, 2.0) == [[[row * np.float32(1.0001), np.float32(1.0001)]] for row in (1, 2)]
    assert run.sizes == [2]


def test_requests_that_are_all_the_same_prove_nothing() -> None:
    trust = Trust()
    assert asked(Counted(lambda x: x - x.mean(axis=0)), trust, 1.0, 1.0) == [[[0.0, 0.0]]] * 2
    assert (trust.proofs, trust.lost) == (PROOFS, False)


def test_differences_of_rounding_and_numbers_that_are_none_are_no_mixing() -> None:
    def rounded(x: Any) -> Any:
        noise = np.float32(1 + 1e-3 * (len(x) > 1))
        return np.concatenate([x * noise, np.full_like(x, np.nan), np.full_like(x, -np.inf)], axis=1)

    trust = Trust()
    asked(Counted(rounded), trust, 1.0, 2.0)
    assert (trust.proofs, trust.lost) == (PROOFS - 1, False)


def test_one_that_fails_alone_and_not_in_company_fails_still() -> None:
    def run(feeds: Feeds) -> Sequence[Any]:
        if not len(feeds["x"]):
            raise ValueError("no rows")
        return [feeds["x"]]

    trust = Trust()
    empty, good = run_rows(run, [{"x": np.zeros((0, 2))}, {"x": np.ones((1, 2))}], trust)
    assert isinstance(empty, ValueError)
    assert not isinstance(good, Exception)
    assert not trust.lost

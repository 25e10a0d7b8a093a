import itertools
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.batch_simulation import (
    Lengths,
    Load,
    Transformer,
    sentence_lengths,
    simulate,
    uniform_lengths,
)

from preheat.runtime.grouping import WORTH_SPLITTING, cheapest_cuts, choose_batch

Sizes = st.lists(st.sampled_from([4.0, 5.0, 6.0, 50.0, 60.0]), min_size=1, max_size=40)
FixedUnits = st.sampled_from([0.0, 1.5, 10.0, 100.0, float("inf")])


def batch_of(sizes: list[float], *, max_size: int = 8, fixed_units: float = 10.0) -> list[float]:
    chosen = choose_batch(sizes, max_size=max_size, fixed_units=fixed_units)
    return [sizes[index] for index in chosen]


def test_the_oldest_runs_with_those_of_its_size() -> None:
    assert batch_of([10, 250, 11, 240, 9, 250, 12, 245, *[100] * 8]) == [10, 11, 9, 12]
    assert batch_of([250, 10, 249, 11, 250, 9, 251, 12, *[100] * 8]) == [250, 249, 250, 251]


def test_nobody_of_the_newer_half_overtakes_anybody() -> None:
    assert batch_of([10, 250, 10, 250]) == [10]
    assert batch_of([10, 250, 10, 250, 10, 250]) == [10, 10]


def test_a_batch_that_cuts_through_equals_takes_the_oldest_of_them() -> None:
    older = [6.0, 5.0, 100.0, 5.0, 5.0, 5.0]  # cheapest as three 5; 5 and 6; 100
    assert choose_batch([*older, *older], max_size=3, fixed_units=2.0) == [0, 1]


def test_equal_sizes_run_in_order_of_arrival_whatever_the_cost() -> None:
    assert choose_batch([7.0] * 20, max_size=8, fixed_units=0.0) == range(8)


def test_arrival_order_is_kept_where_padding_costs_little() -> None:
    sizes = [10.0, 14.0, 12.0, 11.0]  # 9 units of padding
    cheap = 9 / WORTH_SPLITTING
    assert batch_of(sizes, fixed_units=cheap) == sizes
    assert batch_of(sizes, fixed_units=cheap / 100) == [10.0]
    assert batch_of([1.0, 1e6], fixed_units=float("inf")) == [1.0, 1e6]


def test_arrival_order_is_kept_where_padding_is_a_small_part_of_the_batch() -> None:
    """Otherwise batches alike in cost could never teach that small ones are dear."""
    assert batch_of([95.0, 100.0, 90.0, 100.0], fixed_units=0.0) == [95.0, 100.0, 90.0, 100.0]


@given(sizes=Sizes, max_size=st.integers(1, 4), fixed_units=FixedUnits)
def test_a_batch_holds_the_oldest_and_of_equals_the_older(
    sizes: list[float], max_size: int, fixed_units: float
) -> None:
    chosen = list(choose_batch(sizes, max_size=max_size, fixed_units=fixed_units))
    assert chosen[0] == 0
    assert all(earlier < later for earlier, later in pairwise(chosen))
    assert chosen[-1] < len(sizes)
    assert len(chosen) <= max_size
    for index in chosen:
        older_equals = [older for older in range(index) if sizes[older] == sizes[index]]
        assert set(older_equals) <= set(chosen)


def cost_of(cuts: list[int], ordered: list[float], fixed_units: float) -> float:
    return sum(fixed_units + (end - start) * ordered[end - 1] for start, end in pairwise(cuts))


@given(
    ordered=st.lists(st.integers(0, 30).map(float), min_size=1, max_size=9).map(sorted),
    max_size=st.integers(1, 9),
    fixed_units=st.sampled_from([0.0, 1.0, 5.0, 20.0, 200.0]),
)
def test_no_other_cuts_are_cheaper(ordered: list[float], max_size: int, fixed_units: float) -> None:
    cuts = cheapest_cuts(ordered, max_size=max_size, fixed_units=fixed_units)
    inner = range(1, len(ordered))
    every = ([0, *some, len(ordered)] for count in inner for some in itertools.combinations(inner, count - 1))
    allowed = [
        each
        for each in (*every, list(range(len(ordered) + 1)))
        if all(end - start <= max_size for start, end in pairwise(each))
    ]
    assert cuts in allowed
    assert cost_of(cuts, ordered, fixed_units) == min(cost_of(each, ordered, fixed_units) for each in allowed)


@pytest.mark.parametrize("sizes", [[0.0] * 10, [0.0, 1e12] * 200, [1e12, 5.0] * 3])
def test_the_widest_sizes_are_grouped_too(sizes: list[float]) -> None:
    assert len(set(batch_of(sizes))) == 1


def short_or_long(dice: random.Random) -> int:
    return 12 if dice.random() < 0.7 else 250


@pytest.mark.parametrize(
    ("lengths", "callers", "gain"),
    [
        (uniform_lengths, 32, 1.4),
        (uniform_lengths, 64, 1.5),
        (sentence_lengths, 32, 2.0),
        (short_or_long, 32, 2.0),  # in order of arrival every batch costs the same, which teaches nothing
    ],
)
def test_grouping_serves_more_mixed_requests_and_none_slower(
    lengths: Lengths, callers: int, gain: float
) -> None:
    load = Load(lengths, callers=callers)
    plain = simulate(load, Transformer(), grouped=False)
    grouped = simulate(load, Transformer(), grouped=True)
    assert grouped.per_second > gain * plain.per_second
    assert grouped.percentile_s(99) <= plain.percentile_s(99)


@pytest.mark.parametrize("callers", [1, 4, 32])
def test_grouping_costs_nothing_where_lengths_are_alike(callers: int) -> None:
    load = Load(lambda dice: dice.randint(30, 32), callers=callers)
    plain = simulate(load, Transformer(), grouped=False)
    grouped = simulate(load, Transformer(), grouped=True)
    assert grouped.per_second > 0.98 * plain.per_second
    assert grouped.percentile_s(99) < 1.05 * plain.percentile_s(99)


def test_under_arrivals_that_wait_for_nobody_grouping_shortens_the_longest_waits() -> None:
    load = Load(uniform_lengths, rate=400)
    plain = simulate(load, Transformer(), grouped=False)
    grouped = simulate(load, Transformer(), grouped=True)
    assert grouped.percentile_s(99) < 0.6 * plain.percentile_s(99)

"""What values tell of themselves, and which are none."""

import datetime
import random

import numpy as np
import pytest

from preheat.snapshots.values import Value, is_value, kind_of, state_of

BEGAN = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)
WINDOW = ((BEGAN.timestamp(), 50.0), (BEGAN.timestamp() + 5, 55.0))


def digest(value: object) -> str:
    return Value("self.x", value).document(WINDOW)["digest"]


@pytest.mark.parametrize(
    "value",
    [
        datetime.datetime.min,
        datetime.datetime.max,
        2**2048,
        pytest.param(2**20_000, id="more decimals than Python prints"),
        float("nan"),
        float("inf"),
    ],
)
def test_what_no_clock_can_say_is_a_value(value: object) -> None:
    assert Value("self.x", value).document(WINDOW)["kind"] == "value"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (BEGAN.date(), "day"),
        (datetime.date(2020, 1, 1), "value"),
        (datetime.date.min, "value"),
        (datetime.timedelta(seconds=1.5), "value"),
        (BEGAN.time(), "value"),
        (bytearray(b"abc"), "small"),
        (bytearray(b"abcd"), "value"),
        ({12, "ab"}, "small"),
        (frozenset({12, "abcd"}), "value"),
        (np.array([1, 2, 3]), "small"),
        (np.arange(4), "value"),
        (np.array([0.5]), "value"),
        (np.float32(0.5), "value"),
        (np.bool_(True), "small"),
    ],
)
def test_days_bytes_sets_and_arrays_have_kinds(value: object, kind: str) -> None:
    assert is_value(value)
    assert kind_of(value, WINDOW) == kind


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ({"abcd", 5, 1.5}, {1.5, "abcd", 5}, {"abcd", 5, 2.5}),
        (np.arange(6.0), np.arange(12.0)[:6], np.arange(6.0) + 1),
        (np.arange(6.0).reshape(2, 3).T, np.arange(6.0).reshape(2, 3).T.copy(), np.arange(6.0).reshape(2, 3)),
        (np.float32(0.5), np.float32(0.5), np.float32(0.25)),
        (bytearray(b"abcd"), bytearray(b"abcd"), bytearray(b"abce")),
        (random.Random(3), random.Random(3), random.Random(4)),
    ],
)
def test_a_digest_follows_what_a_value_holds(one: object, same: object, other: object) -> None:
    assert digest(one) == digest(same) != digest(other)


def test_memory_that_nobody_filled_says_nothing() -> None:
    left = np.zeros(64, np.float32)
    left.view(np.uint64)[3] = 0x7F3A_1234_5678
    assert not is_value(left)


def test_random_numbers_of_every_kind_are_values() -> None:
    draws = np.random.default_rng(1)
    assert is_value(draws.random(9000))
    assert is_value(draws.random((64, 64), np.float32))
    assert is_value(draws.permutation(10_000))
    assert is_value(draws.integers(0, 2**63, 5))


def test_arrays_of_objects_and_large_sets_are_none() -> None:
    assert not is_value(np.array([object(), None]))
    assert not is_value(set(range(1001)))
    assert not is_value({(1, 2)})


@pytest.mark.parametrize("make", [random.Random, np.random.default_rng, np.random.RandomState])
def test_the_state_of_a_generator_follows_its_seed_and_its_draws(make: type[random.Random]) -> None:
    one, two, other = make(3), make(3), make(4)
    assert state_of(one) == state_of(two) != state_of(other)
    one.random()
    assert state_of(one) != state_of(two)


def test_the_systems_own_randomness_has_no_state() -> None:
    assert state_of(random.SystemRandom()) is None

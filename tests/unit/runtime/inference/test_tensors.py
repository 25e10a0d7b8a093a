from typing import Any

import numpy
import pytest
from hypothesis import given
from tests.fakes.tensors import ARRAYS, tensor

from preheat.errors import BadInput
from preheat.runtime.inference.tensors import (
    Tensor,
    check_shape,
    flatten,
    measure,
    nest,
    split,
    spread,
    stack,
)

Array = numpy.ndarray[Any, Any]


@given(ARRAYS)
def test_values_are_those_of_numpy_both_ways(array: Array) -> None:
    made = tensor(array)
    assert made.values() == array.flatten().tolist()
    assert nest(made.values(), made.shape) == array.tolist()
    again = Tensor.of("x", made.datatype, made.shape, flatten(array.flatten().tolist(), array.shape))
    assert again == made


@given(ARRAYS.filter(lambda array: array.ndim > 0))
def test_nested_data_is_read_as_flat_data_is(array: Array) -> None:
    assert flatten(array.tolist(), array.shape) == array.flatten().tolist()


@given(ARRAYS.filter(lambda array: array.ndim > 0 and array.shape[0] > 0))
def test_splitting_and_stacking_are_inverses(array: Array) -> None:
    assert stack(split(tensor(array))) == tensor(array)


@given(ARRAYS.filter(lambda array: array.size > 0))
def test_nested_lists_are_measured_and_spread(array: Array) -> None:
    nested = array.tolist()
    assert measure(nested, (-1,) * array.ndim) == array.shape
    assert spread(nested, array.ndim) == array.flatten().tolist()


@pytest.mark.parametrize(
    ("data", "shape", "reason"),
    [
        (3, (1,), "data is no array"),
        ([[1], 2], (2,), r"wants an element at data\[0\], got an array"),
        ([1, [2]], (2,), r"wants an element at data\[1\], got an array"),
        ([[1, 2]], (2,), "wants an array of 2 at data, got an array of 1"),
        ([[1, 2], [3]], (2, 2), r"wants an array of 2 at data\[1\], got an array of 1"),
        ([[1, 2], 3], (2, 2), r"wants an array of 2 at data\[1\], got 3"),
        ([[[1], [2]], [[3], [4, 5]]], (2, 2, 1), r"wants an array of 1 at data\[1\]\[1\], got an array of 2"),
        ([[[1], [2]], [[3, 3], [4]]], (2, 2, 1), r"of 1 at data\[1\]\[0\], got an array of 2"),
        ([[1]], (), "wants an element at data, got an array"),
    ],
)
def test_ragged_data_is_refused_with_its_place(data: object, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        flatten(data, shape)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ([-1], "a size in the shape is -1"),
        ([True], "a size in the shape is True"),
        ([2.0], "a size in the shape is 2.0"),
        (["2"], "a size in the shape is '2'"),
        ([[2]], "a size in the shape is an array"),
        ([2**63, 2**63], "more elements than the request has bytes"),
        ([10**30, 0], "more elements than the request has bytes"),
        ([1] * 33, "33 dimensions"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(sizes: list[object], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        check_shape(sizes, 100)


def test_too_few_values_for_a_shape_are_refused() -> None:
    with pytest.raises(BadInput, match=r"the shape \[2, 2\] has 4 elements, got 3"):
        Tensor.of("x", "INT8", (2, 2), [1, 2, 3])

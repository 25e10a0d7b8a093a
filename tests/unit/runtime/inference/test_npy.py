import io
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.tensors import ARRAYS, tensor

from preheat.errors import HandlerFailed
from preheat.runtime.inference.datatypes import DTYPES
from preheat.runtime.inference.npy import read_npy, write_npy


@given(ARRAYS, st.sampled_from("CF"))
def test_npy_is_numpys_both_ways(array: numpy.ndarray[Any, Any], order: Any) -> None:
    read = numpy.load(io.BytesIO(write_npy(tensor(array))), allow_pickle=False)
    assert (read.dtype, read.shape, read.tolist()) == (array.dtype, array.shape, array.tolist())
    out = io.BytesIO()
    numpy.save(out, numpy.asarray(array, order=order))
    assert read_npy(out.getvalue(), "x", DTYPES[str(array.dtype)]) == tensor(array)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        write_npy(tensor(numpy.zeros(2, "int8"))),
        write_npy(tensor(numpy.zeros(2, "float32")))[:-1],
    ],
)
def test_an_answer_that_is_another_array_is_the_handlers_failure(data: bytes) -> None:
    with pytest.raises(HandlerFailed):
        read_npy(data, "x", "FP32")

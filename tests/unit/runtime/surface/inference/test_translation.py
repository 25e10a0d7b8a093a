import io
import json
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from preheat.errors import BadInput
from preheat.runtime.surface.inference.datatypes import BYTES, DTYPES, pack, unpack
from preheat.runtime.surface.inference.npy import read_npy, write_npy
from preheat.runtime.surface.inference.protocol import InferRequest, read_infer, write_infer
from preheat.runtime.surface.inference.tensors import Tensor, flatten, measure, nest, split, spread, stack

SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda dtype: arrays.arrays(
        dtype, SHAPES, elements={"allow_nan": False, "allow_infinity": False} if "float" in dtype else None
    )
)


def tensor(array: numpy.ndarray[Any, Any]) -> Tensor:
    return Tensor("x", DTYPES[str(array.dtype)], array.shape, array.tobytes())


@given(ARRAYS)
def test_values_are_those_of_numpy_both_ways(array: numpy.ndarray[Any, Any]) -> None:
    made = tensor(array)
    assert made.values() == array.flatten().tolist()
    assert nest(made.values(), made.shape) == array.tolist()
    again = Tensor.of("x", made.datatype, made.shape, flatten(array.flatten().tolist(), array.shape))
    assert again == made


@given(ARRAYS, st.sampled_from("CF"))
def test_npy_is_numpys_both_ways(array: numpy.ndarray[Any, Any], order: Any) -> None:
    read = numpy.load(io.BytesIO(write_npy(tensor(array))), allow_pickle=False)
    assert (read.dtype, read.shape, read.tolist()) == (array.dtype, array.shape, array.tolist())
    out = io.BytesIO()
    numpy.save(out, numpy.asarray(array, order=order))
    assert read_npy(out.getvalue(), "x", DTYPES[str(array.dtype)]) == tensor(array)


@given(st.lists(st.binary()))
def test_bytes_survive(values: list[bytes]) -> None:
    assert unpack(BYTES, pack(BYTES, values), len(values)) == values


@given(ARRAYS.filter(lambda array: array.ndim > 0 and array.shape[0] > 0))
def test_splitting_and_stacking_are_inverses(array: numpy.ndarray[Any, Any]) -> None:
    assert stack(split(tensor(array))) == tensor(array)


@given(ARRAYS.filter(lambda array: array.size > 0))
def test_nested_lists_are_measured_and_spread(array: numpy.ndarray[Any, Any]) -> None:
    nested = array.tolist()
    assert measure(nested, (-1,) * array.ndim) == array.shape
    assert spread(nested, array.ndim) == array.flatten().tolist()


@given(ARRAYS, st.booleans())
def test_what_is_written_is_read_again(array: numpy.ndarray[Any, Any], binary: bool) -> None:
    asked = InferRequest("7", {}, {}, binary)
    _, headers, body = write_infer(asked, [tensor(array)], name="m", version="1")
    length = headers.get("inference-header-content-length")
    head = json.loads(body[: int(length)] if length else body)
    text = json.dumps({"inputs": head["outputs"]}).encode()
    sent = text + (body[int(length) :] if length else b"")
    read = read_infer(sent, str(len(text)), depth=64)
    assert read.inputs["x"] == tensor(array)


GOOD: dict[str, Any] = {"name": "x", "datatype": "INT8", "shape": [2], "data": [1, 2]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": [1]}, "has 2 elements, got 1"),
        ({"data": [1, 128]}, "128 is out of the range of INT8"),
        ({"data": [1, 2.5]}, "expected an integer, got 2.5"),
        ({"data": [1, True]}, "expected an integer, got True"),
        ({"data": [1, "2"]}, "expected an integer, got '2'"),
        ({"data": [[1], 2]}, "expected an integer, got an array"),
        ({"data": [[1, 2]]}, "does not have the shape"),
        ({"data": 3}, "data is no array"),
        ({"datatype": "FP16", "data": [1, 1e6]}, "out of the range of FP16"),
        ({"datatype": "FP32", "data": [1, 10**400]}, "out of the range of FP32"),
        ({"datatype": "BOOL", "data": [True, 1]}, "expected true or false"),
        ({"datatype": "BYTES", "data": ["a", 1]}, "expected a string"),
        ({"datatype": "BF16"}, "datatype is none of"),
        ({"shape": [-1]}, "no array of sizes"),
        ({"shape": [True]}, "no array of sizes"),
        ({"shape": 2}, "no array of sizes"),
        ({"shape": [10**30, 0]}, "more elements than the body"),
        ({"parameters": {"binary_data_size": 2}}, "either data or"),
        ({"parameters": 3}, "no object"),
        ({"parameters": {"shared_memory_region": "r"}}, "shared memory"),
        ({"name": 3}, "string `name`"),
    ],
)
def test_a_malformed_tensor_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_infer(json.dumps({"inputs": [GOOD | change]}).encode(), None, depth=64)


@pytest.mark.parametrize(
    ("datatype", "size", "blob", "reason"),
    [
        ("INT16", 4, b"abc", "binary_data_size is 4, and 3 bytes follow"),
        ("INT16", -1, b"abcd", "binary_data_size is -1"),
        ("INT16", 3, b"abc", "2 elements of INT16 are 4 bytes, got 3"),
        ("INT16", 4, b"abcde", "1 bytes stand behind"),
        ("BOOL", 2, b"\1\2", "0 or 1, got 2"),
        ("BYTES", 2, b"ab", "cut off"),
        ("BYTES", 5, b"\xff\0\0\0a", "255 bytes, and 1 follow"),
        ("BYTES", 5, b"\1\0\0\0a", "expected 2 elements, got 1"),
    ],
)
def test_a_malformed_binary_tensor_is_refused_with_the_reason(
    datatype: str, size: int, blob: bytes, reason: str
) -> None:
    entry = {
        "name": "x",
        "shape": [2],
        "datatype": datatype,
        "parameters": {"binary_data_size": size},
    }
    head = json.dumps({"inputs": [entry]}).encode()
    with pytest.raises(BadInput, match=reason):
        read_infer(head + blob, str(len(head)), depth=64)


@pytest.mark.parametrize("length", ["", "-1", "x", "99999", "9" * 5000, "\xb2"])
def test_a_header_length_beyond_the_body_is_refused(length: str) -> None:
    with pytest.raises(BadInput, match="inference-header-content-length"):
        read_infer(b"{}", length, depth=64)

import json
from typing import Any

import numpy
import pytest
from hypothesis import example
from hypothesis import given as drawn
from hypothesis import strategies as st
from tests.fakes.tensors import ARRAYS, tensor

from preheat.errors import BadInput
from preheat.runtime.inference.datatypes import BYTES, CODES
from preheat.runtime.surface.inference.protocol import InferRequest, read_infer, write_infer

GOOD: dict[str, Any] = {"name": "x", "datatype": "INT8", "shape": [2], "data": [1, 2]}

SIZES = st.integers() | st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**40]) | st.booleans() | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ENTRIES = st.fixed_dictionaries(
    {"name": st.just("x") | JSON},
    optional={
        "datatype": st.sampled_from([*CODES, BYTES, "BF16"]) | JSON,
        "shape": st.lists(SIZES, max_size=4) | JSON,
        "data": st.lists(JSON, max_size=4) | JSON,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": SIZES | JSON}) | JSON,
    },
)


def assert_told(refused: BadInput) -> None:
    assert refused.message.endswith(".")


@drawn(ARRAYS, st.booleans())
def test_what_is_written_is_read_again(array: "numpy.ndarray[Any, Any]", binary: bool) -> None:
    asked = InferRequest("7", {}, {}, binary)
    _, headers, body = write_infer(asked, [tensor(array)], name="m", version="1")
    length = headers.get("inference-header-content-length")
    head = json.loads(body[: int(length)] if length else body)
    assert (head["id"], head["model_name"], head["model_version"]) == ("7", "m", "1")
    text = json.dumps({"inputs": head["outputs"]}).encode()
    sent = text + (body[int(length) :] if length else b"")
    read = read_infer(sent, str(len(text)), depth=64)
    assert read.inputs["x"] == tensor(array)


@drawn(
    st.fixed_dictionaries({"inputs": st.lists(ENTRIES, max_size=2) | JSON}, optional={"outputs": JSON})
    | JSON,
    st.binary(max_size=40),
)
@example({"inputs": [GOOD | {"shape": [10**4000]}]}, b"")
@example({"inputs": [{"name": "x", "datatype": "BYTES", "shape": [2**40], "data": []}]}, b"")
def test_any_body_is_read_or_refused_with_a_reason(head: Any, blob: bytes) -> None:
    text = json.dumps(head).encode()
    try:
        asked = read_infer(text + blob, str(len(text)), depth=64)
    except BadInput as refused:
        assert_told(refused)
        return
    for each in asked.inputs.values():
        assert len(each.values()) == numpy.prod(each.shape, dtype=int)


@drawn(
    st.sampled_from([*CODES, BYTES]),
    st.lists(st.integers(0, 4), max_size=3),
    st.integers(-3, 40),
    st.binary(max_size=40),
)
def test_a_binary_tensor_is_what_its_shape_says_or_refused(
    datatype: str, shape: list[int], size: int, blob: bytes
) -> None:
    entry = {"name": "x", "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [entry]}).encode()
    try:
        asked = read_infer(head + blob, str(len(head)), depth=64)
    except BadInput:
        return
    assert asked.inputs["x"].raw == blob
    assert len(asked.inputs["x"].values()) == numpy.prod(shape, dtype=int)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": [1]}, "Input 'x': the shape .* has 2 elements, got 1"),
        ({"data": [[1, 2]]}, "wants an array of 2 at data, got an array of 1"),
        ({"datatype": "BF16"}, "datatype 'BF16' is none of"),
        ({"shape": [-1]}, "a size in the shape is -1"),
        ({"shape": 2}, "the shape is no array"),
        ({"shape": [10**30, 0]}, "more elements than the request"),
        ({"parameters": {"binary_data_size": 2}}, "either data or"),
        ({"parameters": 3}, "parameters is no object"),
        ({"parameters": {"shared_memory_region": "r"}}, "shared memory is not offered"),
        ({"name": 3}, "string `name`"),
    ],
)
def test_a_malformed_tensor_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_infer(json.dumps({"inputs": [GOOD | change]}).encode(), None, depth=64)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"inputs": {}}, "needs an array `inputs`"),
        ({"inputs": [3]}, "An input is an object"),
        ({"inputs": [GOOD, GOOD]}, "'x' is there twice"),
        ({"id": 3}, "`id` is no string"),
        ({"outputs": 3}, "`outputs` is an array"),
        ({"outputs": [{"name": "y"}, {"name": "y"}]}, "`outputs` is an array"),
        ({"outputs": [{"name": "y", "parameters": {"classification": 2}}]}, "not offered"),
        ({"outputs": [{"name": "y", "parameters": {"binary_data": 1}}]}, "neither true nor false"),
        ({"parameters": {"binary_data_output": "yes"}}, "neither true nor false"),
    ],
)
def test_a_malformed_request_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_infer(json.dumps({"inputs": [GOOD]} | change).encode(), None, depth=64)


@pytest.mark.parametrize(
    ("datatype", "size", "blob", "reason"),
    [
        ("INT16", 4, b"abc", "binary_data_size is 4, and 3 bytes follow"),
        ("INT16", -1, b"abcd", "binary_data_size is -1"),
        ("INT16", True, b"abcd", "binary_data_size is True"),
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
    entry = {"name": "x", "shape": [2], "datatype": datatype, "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [entry]}).encode()
    with pytest.raises(BadInput, match=reason):
        read_infer(head + blob, str(len(head)), depth=64)


@pytest.mark.parametrize("length", ["", "-1", "x", "99999", "9" * 5000, "\xb2"])
def test_a_header_length_beyond_the_body_is_refused(length: str) -> None:
    with pytest.raises(BadInput, match="inference-header-content-length"):
        read_infer(b"{}", length, depth=64)


def test_each_output_comes_as_it_was_asked_for() -> None:
    outputs = [tensor(numpy.ones(1, "int8"), "a"), tensor(numpy.ones(1, "int8"), "b")]
    asked = InferRequest(None, {}, {"a": False, "b": True}, False)
    _, headers, body = write_infer(asked, outputs, name="m", version="1")
    length = int(headers["inference-header-content-length"])
    first, second = json.loads(body[:length])["outputs"]
    assert (first["data"], second["parameters"], body[length:]) == ([1], {"binary_data_size": 1}, b"\1")

from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.tensors import ARRAYS, tensor

from preheat.errors import BadInput
from preheat.runtime.grpc.inference_pb2 import InferTensorContents, ModelInferRequest, ModelInferResponse
from preheat.runtime.grpc.messages import CONTENTS, InferCall, read_call, write_answer
from preheat.runtime.inference.datatypes import BYTES, CODES
from preheat.runtime.inference.tensors import Tensor

CONTENTS_OF_ANY = st.builds(
    InferTensorContents,
    bool_contents=st.lists(st.booleans(), max_size=3),
    int_contents=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
    int64_contents=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
    uint_contents=st.lists(st.integers(0, 2**32 - 1), max_size=3),
    fp32_contents=st.lists(st.floats(width=32), max_size=3),
    bytes_contents=st.lists(st.binary(max_size=4), max_size=3),
)
INPUTS = st.builds(
    ModelInferRequest.InferInputTensor,
    name=st.sampled_from(["x", "y", ""]),
    datatype=st.sampled_from([*CODES, BYTES, "BF16", ""]),
    shape=st.lists(st.integers(-2, 4) | st.integers(-(2**63), 2**63 - 1), max_size=3),
    contents=st.none() | CONTENTS_OF_ANY,
)


def assert_told(refused: BadInput) -> None:
    assert refused.message.endswith(".")


def sent(**fields: Any) -> bytes:
    known: dict[str, Any] = {"name": "x", "datatype": "INT8", "shape": [2]}
    raw = fields.pop("raw", [])
    return ModelInferRequest(inputs=[known | fields], raw_input_contents=raw).SerializeToString()


@given(ARRAYS, st.booleans())
def test_what_is_written_is_read_again(array: "numpy.ndarray[Any, Any]", raw: bool) -> None:
    made = tensor(array)
    answer = ModelInferResponse.FromString(
        write_answer(InferCall("m", "1", "7", {}, [], raw), [made], name="m", version="1")
    )
    assert (answer.model_name, answer.model_version, answer.id) == ("m", "1", "7")
    assert bool(answer.raw_output_contents) is (raw or made.datatype == "FP16")
    (output,) = answer.outputs
    request = ModelInferRequest(raw_input_contents=answer.raw_output_contents)
    request.inputs.add(name="x", datatype=output.datatype, shape=output.shape, contents=output.contents)
    assert read_call(request.SerializeToString()).inputs["x"] == made


def test_bytes_come_typed_and_raw() -> None:
    typed = read_call(sent(datatype=BYTES, contents=InferTensorContents(bytes_contents=[b"a", b""])))
    raw = read_call(sent(datatype=BYTES, raw=[b"\1\0\0\0a\0\0\0\0"]))
    assert typed.inputs == raw.inputs == {"x": Tensor.of("x", BYTES, (2,), [b"a", b""])}


@given(st.lists(INPUTS, max_size=2), st.lists(st.binary(max_size=20), max_size=2))
def test_any_request_is_read_or_refused_with_a_reason(
    inputs: list[ModelInferRequest.InferInputTensor], raws: list[bytes]
) -> None:
    try:
        call = read_call(ModelInferRequest(inputs=inputs, raw_input_contents=raws).SerializeToString())
    except BadInput as refused:
        assert_told(refused)
        return
    for each in call.inputs.values():
        assert len(each.values()) == numpy.prod(each.shape, dtype=int)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_request_or_refused(data: bytes) -> None:
    try:
        read_call(data)
    except BadInput as refused:
        assert_told(refused)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"datatype": "BF16"}, "the datatype 'BF16' is none of"),
        ({"shape": [-1]}, "a size in the shape is -1"),
        ({"shape": [2**62, 4]}, "more elements than the request has bytes"),
        ({"raw": [b"abc"]}, "2 elements of INT8 are 2 bytes, got 3"),
        ({"raw": [b"ab", b"c"]}, "has 2 entries for 1 inputs"),
        ({"raw": [b"ab"], "contents": {"int_contents": [1, 2]}}, "give either contents or"),
        ({"contents": {"int_contents": [1]}}, "has 2 elements, got 1"),
        ({"contents": {"int_contents": [1, 128]}}, "128 is out of the range of INT8"),
        ({"contents": {"int64_contents": [1, 2]}}, "INT8 comes in int_contents, got int64_contents"),
        ({}, "int_contents is empty, and so is raw_input_contents"),
        ({"datatype": "FP16", "shape": [0]}, "FP16 has no contents; send raw_input_contents"),
        ({"datatype": BYTES, "raw": [b"\xff\0\0\0a"]}, "element 0 has 255 bytes, and 1 follow"),
        ({"datatype": "BOOL", "raw": [b"\1\2"]}, "a byte of BOOL is 0 or 1, got 2"),
        ({"parameters": {"shared_memory_region": {"string_param": "r"}}}, "shared memory is not offered"),
    ],
)
def test_a_malformed_tensor_is_refused_with_the_reason(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=f"Input 'x': .*{reason}|{reason}"):
        read_call(sent(**fields))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"inputs": [{"name": "x", "datatype": "INT8", "shape": [0]}] * 2}, "'x' is there twice"),
        ({"outputs": [{"name": "y"}] * 2}, "An output is asked for twice"),
        ({"outputs": [{"name": "y", "parameters": {"classification": {}}}]}, "classification"),
    ],
)
def test_a_malformed_request_is_refused_with_the_reason(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_call(ModelInferRequest(**fields).SerializeToString())


def test_every_datatype_but_fp16_has_contents() -> None:
    assert {*CODES, BYTES} - CONTENTS.keys() == {"FP16"}
    assert set(CONTENTS.values()) == set(InferTensorContents.DESCRIPTOR.fields_by_name)

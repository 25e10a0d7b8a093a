import json
from typing import Any

import numpy
import pytest
from tests.fakes.surface import CONTRACT
from tests.fakes.tensors import BATCHED, FIELDS, OBJECT, TENSOR, VECTOR, tensor

from preheat.errors import BadInput, HandlerFailed
from preheat.interface.media import NPY
from preheat.interface.message import Response
from preheat.runtime.inference.mapping import MAX_ITEMS, Mapped
from preheat.runtime.inference.npy import read_npy, write_npy
from preheat.runtime.inference.tensors import Tensor


def floats(*shape: int, name: str = "input") -> Tensor:
    return tensor(numpy.arange(numpy.prod(shape), dtype="float32").reshape(shape), name)


def documents(*texts: str, shape: tuple[int, ...] | None = None) -> dict[str, Tensor]:
    return {"input": Tensor.of("input", "BYTES", (len(texts),) if shape is None else shape, texts)}


def answer(value: Any) -> Response:
    return Response(body=json.dumps(value).encode())


@pytest.mark.parametrize(
    ("schema", "datatype", "shape"),
    [
        ({"type": "integer"}, "INT64", (1,)),
        ({"type": "number", "minimum": 0}, "FP64", (1,)),
        ({"type": "boolean"}, "BOOL", (1,)),
        ({"type": "string"}, "BYTES", (1,)),
        ({"type": "array", "x-preheat-tensor": {"dtype": "uint8", "shape": [None, 3]}}, "UINT8", (-1, 3)),
        ({"type": "boolean", "x-preheat-tensor": {"dtype": "bool", "shape": []}}, "BOOL", ()),
    ],
)
def test_a_field_is_a_tensor_of_its_own_type(schema: Any, datatype: str, shape: tuple[int, ...]) -> None:
    mapped = Mapped(CONTRACT | {"input": {"type": "object", "properties": {"f": schema}, "required": ["f"]}})
    (field,) = mapped.input.fields
    assert (field.name, field.datatype, field.shape) == ("f", datatype, shape)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": VECTOR, "b": {"type": "array"}}},
        {"type": "object", "properties": {"a": {"type": "string", "contentEncoding": "base64"}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        {"anyOf": [VECTOR, {"type": "null"}]},
        {"type": "array", "items": VECTOR},
    ],
)
def test_whatever_else_there_is_comes_as_documents(schema: Any) -> None:
    mapped = Mapped(CONTRACT | {"input": schema})
    (field,) = mapped.input.fields
    assert (mapped.input.kind, field.name, field.datatype, mapped.shape(field)) == (
        "document",
        "input",
        "BYTES",
        [-1],
    )


def test_a_batched_handlers_metadata_has_an_axis_for_items() -> None:
    single, batched = Mapped(TENSOR), Mapped(BATCHED)
    assert single.shape(single.input.fields[0]) == [-1]
    assert batched.shape(batched.input.fields[0]) == [-1, -1]


def test_one_item_of_a_batched_handler_needs_no_axis() -> None:
    (body,), many = Mapped(BATCHED).calls({"input": floats(3)})
    assert not many
    assert read_npy(body.data, "input", "FP32") == floats(3)


def test_several_items_of_a_batched_handler_are_calls_of_their_own() -> None:
    bodies, many = Mapped(BATCHED).calls({"input": floats(2, 3)})
    assert many
    assert [read_npy(body.data, "input", "FP32").values() for body in bodies] == [[0, 1, 2], [3, 4, 5]]


def test_an_object_with_arrays_is_sent_as_a_form_where_the_handler_reads_forms() -> None:
    fields = {"v": floats(3, name="v")}
    kinds = ["application/json", "multipart/form-data"]
    (form,), _ = Mapped(OBJECT | {"input_media": kinds}).calls(fields)
    (text,), _ = Mapped(OBJECT).calls(fields)
    assert form.content_type.startswith("multipart/form-data; boundary=")
    assert (text.content_type, json.loads(text.data)) == ("application/json", {"v": [0.0, 1.0, 2.0]})


def test_a_name_that_a_form_would_have_to_escape_goes_as_json() -> None:
    fields = {"type": "object", "properties": {'a"b': VECTOR}}
    mapped = Mapped(OBJECT | {"input": fields, "input_media": ["multipart/form-data"]})
    (body,), _ = mapped.calls({'a"b': floats(1, name='a"b')})
    assert body.content_type == "application/json"


@pytest.mark.parametrize(
    ("document", "inputs", "reason"),
    [
        (TENSOR, {}, "The input 'input' is missing"),
        (TENSOR, {"other": floats(1)}, "There is no input 'other'; there are input"),
        (TENSOR, {"input": tensor(numpy.zeros(1, "float64"), "input")}, "'input' is FP32, got FP64"),
        (TENSOR, {"input": floats(1, 1)}, r"has the shape \[1, 1\], expected \[-1\]\."),
        (BATCHED, {"input": floats(1, 1, 1)}, r"expected \[-1\], or \[-1, -1\] for several items"),
        (BATCHED, {"input": floats(0, 1)}, r"first dimensions are \[0\]; expected one size from 1"),
        (BATCHED, {"input": floats(MAX_ITEMS + 1, 1)}, f"from 1 to {MAX_ITEMS}"),
        (CONTRACT, documents("1", shape=(1, 1)), r"has the shape \[1, 1\], expected \[-1\]"),
        (CONTRACT, documents("1", shape=()), r"has the shape \[\], expected \[-1\]"),
        (
            OBJECT | {"batching": {"max_size": 4}},
            {"v": floats(2, 1, name="v"), "k": tensor(numpy.zeros((3, 1), "int64"), "k")},
            r"first dimensions are \[2, 3\]",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused(document: Any, inputs: dict[str, Tensor], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        Mapped(document).calls(inputs)


def test_results_of_different_shapes_are_the_handlers_failure() -> None:
    answers = [Response(content_type=NPY, body=write_npy(floats(size))) for size in (2, 3)]
    with pytest.raises(
        HandlerFailed, match=r"such as output \[2\] and output \[3\].*Send the items one by one"
    ):
        Mapped(BATCHED).outputs(answers, stacked=True)


def test_a_result_that_its_datatype_cannot_hold_is_the_handlers_failure() -> None:
    with pytest.raises(HandlerFailed, match=r"'k' is no INT64: .* out of the range of INT64"):
        Mapped(OBJECT).outputs([answer({"v": [1.0], "k": 2**63})], stacked=False)


def test_an_optional_output_that_is_not_there_is_left_out() -> None:
    outputs = Mapped(OBJECT).outputs([answer({"v": [1.0]})], stacked=False)
    assert [tensor.name for tensor in outputs] == ["v"]


def test_an_optional_output_that_only_some_items_have_makes_no_tensor() -> None:
    mapped = Mapped(OBJECT | {"batching": {"max_size": 4}})
    with pytest.raises(HandlerFailed, match="different shapes"):
        mapped.outputs([answer({"v": [1.0]}), answer({"v": [1.0], "k": 1})], stacked=True)


def test_documents_come_back_as_documents() -> None:
    bodies, many = Mapped(CONTRACT).calls(documents('{"text":"a"}', '{"text":"b"}'))
    assert [body.data for body in bodies] == [b'{"text":"a"}', b'{"text":"b"}']
    (output,) = Mapped(CONTRACT).outputs([answer([1]), answer([2])], stacked=many)
    assert (output.datatype, output.shape, output.values()) == ("BYTES", (2,), [b"[1]", b"[2]"])


def test_an_empty_array_keeps_the_sizes_that_are_declared() -> None:
    matrix = {"type": "array", "x-preheat-tensor": {"dtype": "int8", "shape": [None, 3]}}
    mapped = Mapped(CONTRACT | {"output": {"type": "object", "properties": {"m": matrix}}})
    (output,) = mapped.outputs([answer({"m": []})], stacked=False)
    assert output.shape == (0, 3)


def test_every_field_of_the_fixture_is_mapped() -> None:
    assert {field.name for field in Mapped(OBJECT).input.fields} == set(FIELDS["properties"])

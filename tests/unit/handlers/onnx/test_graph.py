from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tests.fakes.onnx_models import linear, value, written
from tests.fakes.onnx_writer import iris_model

from preheat.errors import HandlerError
from preheat_handlers.onnx.graph import Value, read_graph, read_needs
from preheat_handlers.onnx.wire import NotProtobuf, fields

KINDS = sorted(set(TensorProto.DataType.values()) - {TensorProto.UNDEFINED})
sizes = st.lists(st.one_of(st.integers(0, 2**40), st.text("abcN_", min_size=1), st.none()), max_size=4)


@given(sizes, st.sampled_from([TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING]))
def test_names_shapes_and_types_are_those_that_onnx_reads(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int | str | None], kind: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    nodes = [helper.make_node("Identity", ["a b/c:0"], ["out"])]
    written(path, nodes, [value("a b/c:0", shape, kind)], [value("out", None, kind)])
    graph = read_graph(path)
    dtype = {1: "float32", 7: "int64", 9: "bool", 8: "string"}[kind]
    assert graph.inputs == (Value("a b/c:0", dtype, tuple(shape)),)
    assert graph.outputs == (Value("out", dtype, None),)
    assert graph.opsets == {"": 17}


def test_a_model_is_read_as_onnxruntime_reads_it(tmp_path: Path) -> None:
    (tmp_path / "iris.onnx").write_bytes(iris_model())
    graph = read_graph(tmp_path / "iris.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "iris.onnx")
    assert [(each.name, each.shape) for each in graph.inputs] == [
        (each.name, tuple(each.shape)) for each in session.get_inputs()
    ]
    assert [each.name for each in graph.outputs] == [each.name for each in session.get_outputs()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_that_onnx_knows_has_its_name(tmp_path: Path, kind: int) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    written(tmp_path / "m.onnx", nodes, [value("x", [1], kind)], [value("y", [1], kind)])
    (found,) = read_graph(tmp_path / "m.onnx").inputs
    name = TensorProto.DataType.Name(kind).lower()
    known = {"float": "float32", "double": "float64"}.get(name, name)
    assert found.dtype == known if kind <= TensorProto.FLOAT4E2M1 else found.dtype == "unknown"


def test_what_is_no_tensor_says_what_it_is(tmp_path: Path) -> None:
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
    nodes = [helper.make_node("Identity", ["s"], ["t"])]
    written(tmp_path / "m.onnx", nodes, [sequence], [sequence])
    assert read_graph(tmp_path / "m.onnx").inputs == (Value("s", "", None, "a sequence"),)


def test_old_files_list_weights_among_the_inputs_and_these_are_none(tmp_path: Path) -> None:
    path = tmp_path / "old.onnx"
    weights = {"W": np.zeros((2, 2), np.float32)}
    inputs = [value("x", [1, 2]), value("W", [2, 2])]
    written(path, [helper.make_node("MatMul", ["x", "W"], ["y"])], inputs, [value("y", [1, 2])], weights)
    model = onnx.load(path)
    model.ir_version = 3
    onnx.save(model, path)
    assert [each.name for each in read_graph(path).inputs] == ["x"]


def test_needs_are_the_files_beside_it_and_the_operators_of_inner_graphs_too(tmp_path: Path) -> None:
    linear(tmp_path / "m.onnx", data="m.data")
    needs = read_needs(tmp_path / "m.onnx")
    assert needs.files == {"m.data": (tmp_path / "m.data").stat().st_size}
    assert needs.operators == {("", "MatMul")}
    branch = helper.make_graph(
        [helper.make_node("Own", ["x"], ["z"], domain="acme")], "b", [], [value("z", None)]
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    inputs = [value("c", [], TensorProto.BOOL), value("x", [1])]
    written(tmp_path / "if.onnx", [node], inputs, [value("y", [1])])
    assert read_needs(tmp_path / "if.onnx").operators == {("", "If"), ("acme", "Own")}


@pytest.mark.parametrize("content", [b"", b"\x00", b"<html>", b"\x3a\xff\xff", b"\x08\x07"])
def test_what_is_no_model_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "page.onnx").write_bytes(content)
    with pytest.raises(HandlerError, match=r"page\.onnx is no ONNX model"):
        read_graph(tmp_path / "page.onnx")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HandlerError, match=r"There is no model .*gone\.onnx"):
        read_graph(tmp_path / "gone.onnx")


@given(st.binary(max_size=60))
def test_any_bytes_are_fields_or_an_error_of_ours(content: bytes) -> None:
    try:
        for number, _ in fields(memoryview(content)):
            assert number >= 0
    except NotProtobuf:
        pass

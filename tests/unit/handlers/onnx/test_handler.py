from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from tests.fakes.handlers import Started, context
from tests.fakes.onnx_models import linear, ones, tuned, value, written

from preheat.errors import BadInput, HandlerError
from preheat.runtime.inference.mapping import Mapped
from preheat_handlers.onnx import OnnxHandler
from preheat_handlers.rows import PROOFS


def started(tmp_path: Path, model: Path, handler: type[OnnxHandler] = OnnxHandler) -> Started:
    return Started(handler, context(tmp_path, model=model))


def test_the_contract_has_the_names_shapes_and_types_of_the_file(tmp_path: Path) -> None:
    found = started(tmp_path, linear(tmp_path / "m.onnx", inner=4, outer=3)).contract
    assert found.title == "OnnxHandler"
    assert found.input.schema["properties"]["x"]["x-preheat-tensor"] == {
        "dtype": "float32",
        "shape": [None, 4],
    }
    assert found.output.schema["properties"]["y"]["x-preheat-tensor"] == {
        "dtype": "float32",
        "shape": [None, 3],
    }
    assert found.input.schema["required"] == ["x"]


def test_the_inference_protocol_describes_the_models_own_tensors(tmp_path: Path) -> None:
    mapped = Mapped(started(tmp_path, linear(tmp_path / "m.onnx", inner=4, outer=3)).contract.document())
    assert [(each.name, each.datatype, mapped.shape(each)) for each in mapped.input.fields] == [
        ("x", "FP32", [-1, 4])
    ]
    assert [(each.name, mapped.shape(each)) for each in mapped.output.fields] == [("y", [-1, 3])]


def test_tensors_in_and_tensors_out(tmp_path: Path) -> None:
    path = linear(tmp_path / "m.onnx")
    (expected,) = onnxruntime.InferenceSession(path).run(None, {"x": ones(2)})
    answer = started(tmp_path, path).ask({"x": ones(2).tolist()})
    assert np.array_equal(np.array(answer["y"], np.float32), expected)


@pytest.mark.parametrize("kind", ["file", "folder", "tuned"])
def test_weights_may_be_a_file_a_folder_or_what_was_tuned(tmp_path: Path, kind: str) -> None:
    linear(tmp_path / "folder" / "m.onnx", data="m.data")
    places = {"file": linear(tmp_path / "m.onnx"), "folder": tmp_path / "folder"}
    place = tuned(tmp_path / "tuned") if kind == "tuned" else places[kind]
    assert len(started(tmp_path, place).ask({"x": ones(1).tolist()})["y"][0]) == 64


def test_requests_of_several_rows_run_together_and_each_gets_its_own(tmp_path: Path) -> None:
    found = started(tmp_path, linear(tmp_path / "m.onnx"))
    runs: list[int] = []
    session = found.handler.session  # type: ignore[attr-defined]
    onnx, session.onnx = session.onnx, Counting(session.onnx, runs)
    inputs = [{"x": ones(rows).tolist()} for rows in (1, 3, 2)]
    for _ in range(PROOFS):  # until it is known that the model keeps rows apart
        found.ask(*inputs)
    runs.clear()
    answers = found.ask(*inputs)
    assert runs == [6]
    for given, answer in zip(inputs, answers, strict=True):
        (expected,) = onnx.run(None, {"x": np.array(given["x"], np.float32)})
        assert np.allclose(answer["y"], expected, atol=1e-5)


class Counting:
    def __init__(self, inner: Any, runs: list[int]) -> None:
        self._inner, self._runs = inner, runs

    def run(self, outputs: Any, feeds: Mapping[str, Any], options: Any) -> Any:
        self._runs.append(len(next(iter(feeds.values()))))
        return self._inner.run(outputs, feeds, options)


def two_inputs(path: Path, first: str, second: str, out: str) -> Path:
    nodes = [helper.make_node("Add", ["a", "b"], ["c"])]
    return written(path, nodes, [value("a", [first, 2]), value("b", [second, 2])], [value("c", [out, 2])])


@pytest.mark.parametrize(("names", "batched"), [("NNN", True), ("NMN", False), ("NNK", False)])
def test_only_rows_of_one_name_run_together(tmp_path: Path, names: str, batched: bool) -> None:
    found = started(tmp_path, two_inputs(tmp_path / "m.onnx", *names))
    assert (found.contract.batching is not None) is batched


def test_a_model_that_mixes_rows_answers_each_caller_as_if_it_were_alone(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["x", "mean"], ["y"]),
    ]
    model = written(tmp_path / "m.onnx", nodes, [value("x", ["N", 2])], [value("y", ["N", 2])])
    found = started(tmp_path, model)
    one, other = {"x": [[0.0, 0.0], [2.0, 2.0]]}, {"x": [[100.0, 100.0], [102.0, 102.0]]}
    for _ in range(PROOFS + 1):
        assert found.ask(one, other) == [{"y": [[-1.0, -1.0], [1.0, 1.0]]}] * 2


def test_a_subclass_may_keep_requests_apart(tmp_path: Path) -> None:
    class Apart(OnnxHandler):
        max_batch = 1

    assert started(tmp_path, linear(tmp_path / "m.onnx"), Apart).contract.batching is None


def test_sizes_of_one_name_that_differ_are_the_callers_mistake(tmp_path: Path) -> None:
    found = started(tmp_path, two_inputs(tmp_path / "m.onnx", "N", "N", "N"))
    good = {"a": [[1.0, 2.0]], "b": [[1.0, 1.0]]}
    wrong, right = found.ask(good | {"a": [[1.0, 2.0]] * 3}, good)
    assert isinstance(wrong, BadInput)
    assert wrong.message == "The size 'N' is 3 in 'a' and 1 in 'b'; it is one size."
    assert right == {"c": [[2.0, 3.0]]}


def test_a_value_that_the_model_does_not_take_fails_alone_and_is_the_callers_mistake(tmp_path: Path) -> None:
    weights = {"table": np.arange(10, dtype=np.float32)}
    nodes = [helper.make_node("Gather", ["table", "ids"], ["y"])]
    ids = value("ids", ["N"], TensorProto.INT64)
    found = started(tmp_path, written(tmp_path / "m.onnx", nodes, [ids], [value("y", ["N"])], weights))
    wrong, right = found.ask({"ids": [99]}, {"ids": [7]})
    assert isinstance(wrong, BadInput)
    assert "The model does not take this input" in wrong.message
    assert right == {"y": [7.0]}


@pytest.mark.parametrize(
    ("node", "shapes", "said"),
    [
        ("Add", ([2, 3], [2, 2]), "Attempting to broadcast an axis by a dimension other than 1"),
        ("MatMul", ([2, 3], [2, 2]), "MatMul dimension mismatch"),
        ("Concat", ([2, 3], [2, 2]), "Non concat axis dimensions must match"),
    ],
)
def test_shapes_that_do_not_fit_together_are_the_callers_mistake(
    tmp_path: Path, node: str, shapes: tuple[list[int], list[int]], said: str
) -> None:
    settings: dict[str, Any] = {"axis": 0} if node == "Concat" else {}
    nodes = [helper.make_node(node, ["a", "b"], ["c"], **settings)]
    ends = [value("a", ["N", "K"]), value("b", ["L", "M"])], [value("c", [None, None])]
    found = started(tmp_path, written(tmp_path / "m.onnx", nodes, *ends))
    with pytest.raises(BadInput, match="The model does not take this input: ") as raised:
        found.ask({name: np.ones(shape).tolist() for name, shape in zip("ab", shapes, strict=True)})
    assert said in raised.value.message
    assert "onnxruntime_src" not in raised.value.message


def test_a_memory_that_is_full_is_no_mistake_of_the_caller(tmp_path: Path) -> None:
    nodes = [helper.make_node("Expand", ["x", "shape"], ["y"])]
    ends = [value("x", ["N"]), value("shape", ["M"], TensorProto.INT64)], [value("y", [None, None])]
    found = started(tmp_path, written(tmp_path / "m.onnx", nodes, *ends))
    with pytest.raises(Exception, match="Failed to allocate memory") as raised:
        found.ask({"x": [1.0], "shape": [10**6, 10**6]})  # 4 TB
    assert not isinstance(raised.value, BadInput)


def test_hooks_make_the_contract(tmp_path: Path) -> None:
    found = started(tmp_path, linear(tmp_path / "m.onnx", inner=2, outer=2), Named)
    assert found.contract.input.schema["title"] == "Query"
    assert found.ask({"text": "ab"}).keys() == {"label"}
    assert found.contract.batching is not None
    assert not found.contract.batching.rows
    failed, good = found.ask({"text": ""}, {"text": "abc"})
    assert isinstance(failed, BadInput)
    assert good.keys() == {"label"}


@dataclass
class Query:
    text: str


@dataclass
class Label:
    label: str


class Named(OnnxHandler):
    """Names a text."""

    def preprocess(self, query: Query) -> Mapping[str, Any]:
        if not query.text:
            raise BadInput("The text is empty.")
        return {"x": np.array([[len(query.text), 1.0]], np.float32)}

    def postprocess(self, outputs: Mapping[str, Any]) -> Label:
        return Label("long" if outputs["y"][0].argmax() else "short")


def test_a_hook_without_annotation_is_a_mistake_with_the_line_to_paste(tmp_path: Path) -> None:
    class Untyped(OnnxHandler):
        def preprocess(self, inputs):  # type: ignore[no-untyped-def]
            return inputs

    with pytest.raises(HandlerError, match=r"Untyped\.preprocess has no annotation") as raised:
        started(tmp_path, linear(tmp_path / "m.onnx"), Untyped)
    assert raised.value.hint == "def preprocess(self, query: Query) -> dict[str, numpy.ndarray]:"


def test_some_outputs_may_be_chosen(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("SequenceConstruct", ["x"], ["s"])]
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
    path = written(tmp_path / "m.onnx", nodes, [value("x", [2])], [sequence, value("y", [2])])
    with pytest.raises(HandlerError, match="The output 's' of the model is a sequence") as raised:
        started(tmp_path, path)
    assert "outputs = (...)  # without 's'" in str(raised.value.hint)

    class Chosen(OnnxHandler):
        outputs = ("y",)

    assert started(tmp_path, path, Chosen).ask({"x": [1.0, -1.0]}) == {"y": [1.0, 0.0]}

    class Wrong(OnnxHandler):
        outputs = ("z",)

    with pytest.raises(HandlerError, match="no output 'z'; it has s, y"):
        started(tmp_path, path, Wrong)


def test_texts_go_in_and_out_as_lists(tmp_path: Path) -> None:
    nodes = [helper.make_node("StringConcat", ["a", "a"], ["b"])]
    text = TensorProto.STRING
    path = written(tmp_path / "m.onnx", nodes, [value("a", ["N"], text)], [value("b", ["N"], text)], opset=20)
    assert started(tmp_path, path).ask({"a": ["ä", ""]}) == {"b": ["ää", ""]}


def test_a_type_that_json_has_not_is_said(tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    kind = TensorProto.BFLOAT16
    path = written(tmp_path / "m.onnx", nodes, [value("x", [1], kind)], [value("y", [1], kind)])
    with pytest.raises(HandlerError, match="The input 'x' of the model is of the type bfloat16"):
        started(tmp_path, path)


def test_its_example_runs_every_operator_once(tmp_path: Path) -> None:
    found = started(tmp_path, linear(tmp_path / "m.onnx"))
    (example,) = found.handler.examples()
    assert found.contract.input.encode(example) == {"x": pytest.approx(np.zeros((1, 64)))}


def convolution(path: Path, *, wide: int) -> Path:
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
    ends = [value("x", ["N", 3, "H", "W"])], [value("y", ["N", 4, None, None])]
    return written(path, nodes, *ends, {"w": np.ones((4, 3, wide, wide), np.float32)})


def test_its_example_is_as_wide_as_the_model_needs_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = started(tmp_path, convolution(tmp_path / "m.onnx", wide=7))
    (example,) = found.handler.examples()
    assert example["x"].shape == (1, 3, 8, 8)
    assert np.shape(found.ask(example)["y"]) == (1, 4, 2, 2)
    assert capfd.readouterr().err == ""


def test_where_no_example_fits_it_says_what_to_write(tmp_path: Path) -> None:
    found = started(tmp_path, convolution(tmp_path / "m.onnx", wide=600))
    with pytest.raises(HandlerError, match="takes no zeros whose free sizes are 1, 8, 32") as raised:
        found.handler.examples()
    assert "return [{'x': numpy.zeros(...)}]" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("kind", "shape", "tried"),
    [
        (TensorProto.FLOAT, ["N", 4], False),
        (TensorProto.INT64, ["N", "tokens"], False),
        (TensorProto.FLOAT, ["N", "samples"], True),
        (TensorProto.UINT8, ["N", "H", "W", 3], True),
    ],
)
def test_the_model_is_run_for_its_example_only_where_a_size_may_be_a_width(
    tmp_path: Path, kind: int, shape: list[int | str], tried: bool
) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    model = written(tmp_path / "m.onnx", nodes, [value("x", shape, kind)], [value("y", shape, kind)])
    found = started(tmp_path, model)
    runs: list[int] = []
    session = found.handler.session  # type: ignore[attr-defined]
    session.onnx = Counting(session.onnx, runs)
    found.handler.examples()
    assert runs == [1] * tried


def test_without_its_weights_it_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(HandlerError, match="OnnxHandler has no weights 'model'") as raised:
        Started(OnnxHandler, context(tmp_path, other=tmp_path))
    assert raised.value.hint == '[weights.model]\nsource = "file:model.onnx"'

"""What is said of a file that should be a model."""

from pathlib import Path

import onnx
from onnx import helper
from tests.fakes.onnx_models import value, written
from tests.fakes.perceptrons import write_mlp

from preheat.tuning.trial.look import run


def seen(path: Path) -> tuple[str, str]:
    answer = run({"model": str(path)})
    return answer["problem"], answer["hint"] or ""


def test_a_model_is_described(tmp_path: Path) -> None:
    facts = run({"model": str(write_mlp(tmp_path / "m.onnx", data="m.data"))})
    assert facts["inputs"] == [{"name": "x", "type": "tensor(float)", "shape": ["N", 32]}]
    assert (facts["opset"], facts["nodes"], facts["external"]) == (17, 5, ["m.data"])
    assert facts["bytes"] == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_weights_that_are_not_beside_the_model_are_named(tmp_path: Path) -> None:
    write_mlp(tmp_path / "m.onnx", data="m.data")
    (tmp_path / "m.data").unlink()
    message, hint = seen(tmp_path / "m.onnx")
    assert "m.data, which is not beside it" in message
    assert 'source = "file:model"' in hint


def test_weights_that_are_cut_off_are_told_with_both_sizes(tmp_path: Path) -> None:
    write_mlp(tmp_path / "m.onnx", data="m.data")
    whole = (tmp_path / "m.data").stat().st_size
    (tmp_path / "m.data").write_bytes(b"\0" * 100)
    assert f"has 100 bytes where {whole} are needed" in seen(tmp_path / "m.onnx")[0]


def test_a_custom_operator_is_named(tmp_path: Path) -> None:
    node = helper.make_node("Frobnicate", ["x"], ["y"], domain="com.acme")
    ends = [value("x", ["N", 4])], [value("y", ["N", 4])]
    message, hint = seen(written(tmp_path / "m.onnx", [node], *ends, domains={"com.acme": 1}))
    assert "com.acme::Frobnicate" in message
    assert "custom operators" in hint


def test_an_opset_of_the_future_is_told_with_what_to_do(tmp_path: Path) -> None:
    message, hint = seen(write_mlp(tmp_path / "m.onnx", opset=99))
    assert "newer than onnxruntime" in message
    assert "ai.onnx 99" in message
    assert "older opset" in hint


def test_a_file_of_something_else_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"PK\x03\x04 not a model at all")
    assert "is no ONNX model" in seen(tmp_path / "m.onnx")[0]


def test_a_model_of_no_operator_is_none(tmp_path: Path) -> None:
    onnx.save(helper.make_model(helper.make_graph([], "empty", [], [])), tmp_path / "m.onnx")
    assert "has no operator" in seen(tmp_path / "m.onnx")[0]


def test_what_onnxruntime_refuses_otherwise_is_quoted(tmp_path: Path) -> None:
    node = helper.make_node("MatMul", ["x", "absent"], ["y"])
    ends = [value("x", ["N", 4])], [value("y", ["N", 4])]
    assert "absent" in seen(written(tmp_path / "m.onnx", [node], *ends))[0]

"""Graphs from other graphs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from tests.fakes.onnx_models import linear
from tests.fakes.perceptrons import write_mlp

from preheat.tuning.trial.make import run

BIG = (512, 1024, 512)
"""Layers whose weights are above a megabyte: onnxruntime aligns those."""


def made(model: Path, out: Path, **step: Any) -> Path:
    out.mkdir()
    run({"model": str(model), "out": str(out), **step})
    return out


def answer(model: Path, x: NDArray[np.float32], *, level: str = "ORT_ENABLE_ALL") -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": x})
    result: NDArray[np.float32] = found
    return result


def entries(model: Path) -> dict[str, dict[str, str]]:
    graph = onnx.load(model, load_external_data=False).graph
    return {
        tensor.name: {entry.key: entry.value for entry in tensor.external_data}
        for tensor in graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
    }


@pytest.fixture
def x() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(3, BIG[0])).astype(np.float32)


@pytest.mark.parametrize("level", ["disable", "basic", "extended"])
def test_an_optimised_graph_answers_the_same_without_optimising_again(
    tmp_path: Path, x: NDArray[np.float32], level: str
) -> None:
    model = write_mlp(tmp_path / "m.onnx", BIG)
    out = made(model, tmp_path / "out", step="optimise", level=level, packed=False)
    assert sorted(path.name for path in out.iterdir()) == ["model.data", "model.onnx"]
    right = answer(model, x)
    assert answer(out / "model.onnx", x, level="ORT_DISABLE_ALL").tobytes() == right.tobytes()


def test_weights_lie_outside_the_graph_at_whole_pages(tmp_path: Path) -> None:
    model = write_mlp(tmp_path / "m.onnx", BIG)
    out = made(model, tmp_path / "out", step="optimise", level="extended", packed=False)
    placed = entries(out / "model.onnx")
    assert len(placed) == 2
    assert {entry["location"] for entry in placed.values()} == {"model.data"}
    assert all(int(entry["offset"]) % 4096 == 0 for entry in placed.values())
    assert (out / "model.onnx").stat().st_size < 10_000


def test_domains_that_nothing_uses_are_left_out(tmp_path: Path) -> None:
    out = made(
        write_mlp(tmp_path / "m.onnx"), tmp_path / "out", step="optimise", level="extended", packed=False
    )
    domains = [entry.domain for entry in onnx.load(out / "model.onnx").opset_import]
    assert domains == [""]


def test_packed_weights_are_named_in_a_graph_of_their_own(tmp_path: Path, x: NDArray[np.float32]) -> None:
    model = write_mlp(tmp_path / "m.onnx", BIG)
    out = made(model, tmp_path / "out", step="optimise", level="extended", packed=True)
    packed = [
        any(key.startswith("prepacked") for key in entry)
        for entry in entries(out / "prepacked.onnx").values()
    ]
    plain = [
        any(key.startswith("prepacked") for key in entry) for entry in entries(out / "model.onnx").values()
    ]
    assert (packed, plain) == ([True, True], [False, False])
    for name in ("prepacked.onnx", "model.onnx"):
        assert answer(out / name, x, level="ORT_DISABLE_ALL").tobytes() == answer(model, x).tobytes()


def test_weights_outside_may_come_from_weights_outside(tmp_path: Path, x: NDArray[np.float32]) -> None:
    model = write_mlp(tmp_path / "in" / "m.onnx", BIG, data="weights.bin")
    out = made(model, tmp_path / "out", step="optimise", level="basic", packed=False)
    assert answer(out / "model.onnx", x).tobytes() == answer(model, x).tobytes()


def test_a_model_of_small_weights_has_its_file_of_them_all_the_same(tmp_path: Path) -> None:
    model = linear(tmp_path / "m.onnx", inner=4, outer=4)
    out = made(model, tmp_path / "out", step="optimise", level="extended", packed=False)
    assert (out / "model.data").stat().st_size == 0


def test_the_ort_format_is_one_file_that_opens(tmp_path: Path, x: NDArray[np.float32]) -> None:
    model = write_mlp(tmp_path / "m.onnx", BIG)
    out = made(model, tmp_path / "out", step="ort", level="extended")
    assert answer(out / "model.ort", x, level="ORT_DISABLE_ALL").tobytes() == answer(model, x).tobytes()


def test_a_step_that_is_none_is_no_silence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no step polish"):
        made(write_mlp(tmp_path / "m.onnx"), tmp_path / "out", step="polish")

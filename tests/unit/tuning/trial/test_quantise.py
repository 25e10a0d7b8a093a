"""Models with fewer bits, and calibration inputs that do not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper
from tests.fakes.onnx_models import value, written
from tests.fakes.perceptrons import write_mlp

from preheat.tuning.trial.quantise import run

SIZES = (32, 256, 256, 8)
RNG = np.random.default_rng(3)


def quantised(model: Path, out: Path, kind: str, calibration: Path | None = None) -> dict[str, Any]:
    out.mkdir()
    return run(
        {
            "model": str(model),
            "out": str(out),
            "kind": kind,
            "vnni": True,
            "calibration": None if calibration is None else str(calibration),
        }
    )


def answer(model: Path, x: Any) -> Any:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_mlp(tmp_path / "in" / "model.onnx", SIZES, data="model.data")


def saved(tmp_path: Path, **arrays: Any) -> Path:
    np.savez(tmp_path / "calibration.npz", **arrays)
    return tmp_path / "calibration.npz"


@pytest.mark.parametrize(
    ("kind", "share"), [("int8", 0.35), ("int8-per-channel", 0.4), ("float16", 0.55), ("static", 0.4)]
)
def test_fewer_bits_take_less_space_and_answer_nearly_the_same(
    tmp_path: Path, model: Path, kind: str, share: float
) -> None:
    rows = RNG.normal(size=(40, SIZES[0])).astype(np.float32)
    assert (
        quantised(model, tmp_path / "out", kind, saved(tmp_path, x=rows) if kind == "static" else None) == {}
    )
    size = sum(path.stat().st_size for path in (tmp_path / "out").iterdir())
    whole = sum(path.stat().st_size for path in model.parent.iterdir())
    assert size < share * whole
    right, other = (answer(path, rows[:8]).ravel() for path in (model, tmp_path / "out" / "model.onnx"))
    assert right @ other / np.linalg.norm(right) / np.linalg.norm(other) > 0.99


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"y": np.zeros((4, 32), np.float32)}, "x missing, y unknown"),
        ({"x": np.zeros((4, 32), np.float64)}, "x is float64 where the model takes float32"),
        ({"x": np.zeros((4, 31), np.float32)}, "shape [4, 31] where the model takes ['N', 32]"),
        ({"x": np.zeros(32, np.float32)}, "shape [32] where"),
        ({"x": np.full((4, 32), np.nan, np.float32)}, "not finite"),
    ],
)
def test_calibration_inputs_that_do_not_fit_are_told(
    tmp_path: Path, model: Path, arrays: dict[str, Any], reason: str
) -> None:
    answered = quantised(model, tmp_path / "out", "static", saved(tmp_path, **arrays))
    assert reason in answered["problem"]
    assert "numpy.savez('calibration.npz', x=x_rows)  # x: float32 ['N', 32]" in answered["hint"]


def test_a_model_of_fixed_rows_takes_them_together(tmp_path: Path) -> None:
    model = write_mlp(tmp_path / "in" / "model.onnx", SIZES, data="model.data", rows=4)
    few = saved(tmp_path, x=np.zeros((3, 32), np.float32))
    assert (
        "there are 3 rows, and the model takes 4 at once"
        in quantised(model, tmp_path / "out", "static", few)["problem"]
    )
    enough = saved(tmp_path, x=RNG.normal(size=(9, 32)).astype(np.float32))
    assert quantised(model, tmp_path / "again", "static", enough) == {}


@pytest.mark.parametrize("shape", [[], None])
def test_an_input_without_rows_cannot_be_calibrated_with(tmp_path: Path, shape: list[int] | None) -> None:
    node = helper.make_node("Mul", ["x", "by"], ["y"])
    ends = [value("x", ["N", 4]), value("by", shape)], [value("y", ["N", 4])]
    model = written(tmp_path / "in" / "model.onnx", [node], *ends)
    file = saved(tmp_path, x=np.zeros((4, 4), np.float32), by=np.float32(2))
    problem = quantised(model, tmp_path / "out", "static", file)["problem"]
    assert "by has no first axis in the model" in problem


def as_text(file: Path) -> None:
    file.write_text("1, 2, 3")


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def compressed_and_damaged(file: Path) -> None:
    np.savez_compressed(file, x=RNG.normal(size=(40, 32)).astype(np.float32))
    content = bytearray(file.read_bytes())
    content[100:200] = bytes(100)
    file.write_bytes(content)


def of_one_array(file: Path) -> None:
    with file.open("wb") as opened:
        np.save(opened, RNG.normal(size=(40, 32)).astype(np.float32))


@pytest.mark.parametrize("spoil", [as_text, cut_off, damaged, compressed_and_damaged, of_one_array])
def test_a_file_that_is_no_whole_archive_is_told(
    tmp_path: Path, model: Path, spoil: Callable[[Path], None]
) -> None:
    file = saved(tmp_path, x=RNG.normal(size=(40, 32)).astype(np.float32))
    spoil(file)
    answered = quantised(model, tmp_path / "out", "static", file)
    assert "is no .npz file of numbers" in answered["problem"]
    assert "numpy.savez('calibration.npz', x=x_rows)" in answered["hint"]


def test_objects_are_not_unpickled(tmp_path: Path, model: Path) -> None:
    file = saved(tmp_path, x=np.array([{"a": 1}], dtype=object))
    assert "is no .npz file of numbers" in quantised(model, tmp_path / "out", "static", file)["problem"]

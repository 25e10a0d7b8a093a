"""`preheat tune` and what cannot be tuned: it is told with what to do, and nothing is left behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from onnx import helper
from tests.fakes.onnx_models import value, written
from tests.fakes.perceptrons import write_mlp
from tests.fakes.projects import write_project

pytestmark = [pytest.mark.index, pytest.mark.runtime]

TOML = """requirements = ["numpy>=2", "onnxruntime>=1.20"]

[weights.model]
source = "file:models"
"""
HANDLER = """import numpy as np

import preheat
from preheat_handlers.onnx import open_session


class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self.session = open_session(ctx.weights["model"], cpus=ctx.cpus)

    def predict(self, row: list[float]) -> list[float]:
        (y,) = self.session.run(["y"], {"x": np.array([row], dtype=np.float32)})
        return y[0].tolist()

    def examples(self) -> list[list[float]]:
        return [[0.1 * number for number in range(32)]]
"""


def without_its_data(models: Path) -> None:
    write_mlp(models / "m.onnx", data="m.data")
    (models / "m.data").unlink()


def of_a_custom_operator(models: Path) -> None:
    node = helper.make_node("Frobnicate", ["x"], ["y"], domain="com.acme")
    ends = [value("x", ["N", 32])], [value("y", ["N", 32])]
    written(models / "m.onnx", [node], *ends, domains={"com.acme": 1})


def of_tomorrow(models: Path) -> None:
    write_mlp(models / "m.onnx", opset=99)


def as_it_should_be(models: Path) -> None:
    write_mlp(models / "m.onnx")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def tune(root: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: content for name, content in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [str(Path(sys.executable).with_name("preheat")), "tune", str(root), "--rounds", "1", *arguments]
    return subprocess.run(
        command, env={**kept, "PREHEAT_HOME": str(home)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (without_its_data, ["keeps its weights in m.data, which is not beside it", 'source = "file:model"']),
        (
            of_a_custom_operator,
            ["does not have: com.acme::Frobnicate", "Export the model with standard"],
        ),
        (of_tomorrow, ["is newer than onnxruntime", "ai.onnx 99", "Export it with an older opset"]),
    ],
)
def test_a_model_that_onnxruntime_does_not_take_is_told_why(
    tmp_path: Path, home: Path, write: Callable[[Path], None], said: Sequence[str]
) -> None:
    root = write_project(tmp_path / "demo", TOML, handler=HANDLER)
    write(root / "models")
    before = (root / "preheat.toml").read_text()
    done = tune(root, home, "--write")
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "weights.model:" in told
    for each in said:
        assert each in told
    assert not (root / "tuned").exists()
    assert (root / "preheat.toml").read_text() == before


def test_calibration_inputs_of_another_model_end_it(tmp_path: Path, home: Path) -> None:
    root = write_project(tmp_path / "demo", TOML, handler=HANDLER)
    as_it_should_be(root / "models")
    np.savez(tmp_path / "rows.npz", x=np.zeros((4, 31), np.float32))
    done = tune(root, home, "--write", "--quantize", "static", "--calibration", str(tmp_path / "rows.npz"))
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "x has the shape [4, 31] where the model takes ['N', 32]" in told
    assert "numpy.savez('calibration.npz', x=x_rows)" in told
    assert not (root / "tuned").exists()


def test_fewer_bits_are_not_judged_by_zeros_and_the_line_to_paste_judges_them(
    tmp_path: Path, home: Path
) -> None:
    root = write_project(tmp_path / "demo", TOML.replace("file:models", "file:m.onnx"))
    told_apart = np.eye(64, 8, dtype=np.float32) * 0.01
    told_apart[0, 0] = 100.0  # one scale for all leaves nothing of the others
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    written(root / "m.onnx", nodes, [value("x", ["N", 64])], [value("y", ["N", 8])], {"w": told_apart})
    toml = root / "preheat.toml"
    toml.write_text(toml.read_text().replace("handler:Model", "preheat_handlers.onnx:OnnxHandler"))
    plain = tune(root, home)
    assert plain.returncode == 0, plain.stderr
    assert "note: The examples feed model one value throughout." in " ".join(plain.stderr.split())
    asked = ("--quantize", "int8", "--objective", "size", "--write")
    refused = tune(root, home, *asked)
    assert refused.returncode == 1
    told = refused.stderr.partition("error: ")[2]
    assert "feed model one value throughout, as in an input of zeros" in " ".join(told.split())
    assert not (root / "tuned").exists()
    (root / "handler.py").write_text(dedent(told[told.index("  # handler.py") :]))
    toml.write_text(toml.read_text().replace("preheat_handlers.onnx:OnnxHandler", "handler:Model"))
    x = np.random.default_rng(5).normal(size=(4, 64)).astype(np.float32)
    x[:, 0] = 0
    np.save(root / "x.npy", x)
    judged = tune(root, home, *asked, "--json")
    assert judged.returncode == 0, judged.stderr
    variants = json.loads(judged.stdout)["variants"]
    assert {each["name"] for each in variants if "cosine" in (each["rejected"] or "")} >= {"int8"}

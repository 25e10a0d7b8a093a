"""`preheat tune` with the real uv, onnxruntime and processes, on a small model."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.patience import PATIENCE_S
from tests.fakes.perceptrons import write_mlp
from tests.fakes.projects import write_project

from preheat.project.config import load_project
from preheat.tuning.subject import choose_weights
from preheat_handlers.onnx.tuned import read_tuned

pytestmark = [pytest.mark.index, pytest.mark.runtime]

TOML = """requirements = ["numpy>=2", "onnxruntime>=1.20"]

[weights.model]
source = "file:models/m.onnx"  # ours
"""
HANDLER = """import numpy as np

import preheat
from preheat_handlers.onnx import open_session


class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self.session = open_session(ctx.weights["model"], cpus=ctx.cpus)

    def predict(self, rows: list[list[float]]) -> list[list[float]]:
        (y,) = self.session.run(["y"], {"x": np.array(rows, dtype=np.float32)})
        return y.tolist()

    def examples(self) -> list[list[list[float]]]:
        return [[[0.01 * number for number in range(256)]], [[1.0] * 256, [0.5] * 256]]
"""
WAITING = """import os
import signal
import sys

import preheat


class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        with open(os.environ["PIPE"], "w") as pipe:
            pipe.write("here")
        if sys.argv[0].endswith("trial/start.py"):
            signal.pause()

    def predict(self, row: list[float]) -> list[float]:
        return row

    def examples(self) -> list[list[float]]:
        return [[1.0]]
"""


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("preheat")), *arguments]


def variables(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PREHEAT_HOME": str(home)}


def contract(root: Path, home: Path) -> Mapping[str, Any]:
    """Build the project and return what its handler answered to its examples."""
    done = subprocess.run(
        command("build", str(root), "--json"), env=variables(home), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads((Path(json.loads(done.stdout)["path"]) / "contract.json").read_text())
    return found


@dataclass(frozen=True)
class Done:
    root: Path
    home: Path
    before: Mapping[str, Any]
    document: Mapping[str, Any]

    def variant(self, name: str) -> Mapping[str, Any]:
        (found,) = [each for each in self.document["variants"] if each["name"] == name]
        return found  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A project whose model was quantised, tuned and written, for size."""
    folder = tmp_path_factory.mktemp("tuning")
    root, home = write_project(folder / "demo", TOML, handler=HANDLER), folder / "home"
    write_mlp(root / "models" / "m.onnx", (256, 512, 512, 16))
    np.savez(folder / "rows.npz", x=np.random.default_rng(5).normal(size=(32, 256)).astype(np.float32))
    before = contract(root, home)
    asked = ["--objective", "size", "--rounds", "1", "--write", "--json"]
    asked += [
        "--quantize",
        "int8-per-channel",
        "--quantize",
        "int8-weights",
        "--quantize",
        "static",
        "--calibration",
        str(folder / "rows.npz"),
    ]
    ran = subprocess.run(
        command("tune", str(root), *asked), env=variables(home), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return Done(root, home, before, json.loads(ran.stdout))


def test_every_variant_is_had_and_compared(done: Done) -> None:
    assert done.document["failures"] == []
    assert done.variant("extended")["deviation"]["identical"] is True
    for name in ("external data", "basic", "extended, saved packing", "ort format"):
        assert done.variant(name)["rejected"] in (None, "the format is tied to this version of onnxruntime")


def test_quantised_variants_are_smaller_and_near_enough(done: Done) -> None:
    for name in ("int8-per-channel", "static", "int8-weights"):
        found = done.variant(name)
        assert found["bytes"] < 0.35 * done.variant("default")["bytes"]
        assert 0.99 < found["deviation"]["cosine"] < 1


def test_the_winner_is_a_quantised_one_and_the_manifest_says_all_of_it(done: Done) -> None:
    assert done.document["chosen"].startswith(("int8-per-channel", "static"))
    folder = done.root / "tuned" / "model"
    assert read_tuned(folder).measured_with.version == done.document["manifest"]["runtime"]["version"]
    assert json.loads((folder / "tuned.json").read_text())["origin"]["source"] == "file:models/m.onnx"


def test_the_next_build_answers_nearly_the_same_with_it(done: Done) -> None:
    assert 'source = "file:tuned/model"  # ours' in (done.root / "preheat.toml").read_text()
    after = contract(done.root, done.home)
    right, other = (np.concatenate(found["answers"]).ravel() for found in (done.before, after))
    assert right.size == 3 * 16, "requests of one row and of two"
    assert not np.array_equal(right, other)
    assert right @ other / np.linalg.norm(right) / np.linalg.norm(other) > 0.99


def test_it_can_be_repeated_from_the_original(done: Done) -> None:
    project = load_project(done.root, "dev", provider_schemas={})
    assert choose_weights(project, None).source == "file:models/m.onnx"


def test_an_interrupt_leaves_no_trace(tmp_path: Path, done: Done) -> None:
    root = write_project(tmp_path / "demo", f'{TOML}\n[env]\nPIPE = "{tmp_path}/pipe"\n', handler=WAITING)
    write_mlp(root / "models" / "m.onnx", (256, 512, 512, 16))
    before = (root / "preheat.toml").read_text()
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(
        command("tune", str(root), "--write"), env=variables(done.home), stderr=subprocess.PIPE, text=True
    ) as running:
        for _ in ("of the build", "of the trial"):
            assert (tmp_path / "pipe").read_text() == "here"
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130
    assert "Nothing was written" in errors
    assert (root / "preheat.toml").read_text() == before
    assert sorted(path.name for path in root.iterdir()) == [
        "handler.py",
        "models",
        "preheat.lock",
        "preheat.toml",
    ]
    assert list((done.home / "cache" / "tmp").iterdir()) == []

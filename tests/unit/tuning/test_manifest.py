"""What the manifest says of opening a tuned model anywhere else."""

import platform
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto
from tests.fakes.perceptrons import write_mlp
from tests.fakes.tuning import SAME, figures, outcome

from preheat.project.model import Weights
from preheat.tuning.choice import Outcome
from preheat.tuning.manifest import manifest
from preheat.tuning.trial import make, quantise
from preheat.tuning.variants import QUANTISATIONS, Quantisation, Variant, candidates

EXACT = {"session.x64quantprecision": "1"}


def variant_of(graph: str, *quantised: Quantisation) -> Variant:
    return next(each for each in candidates(quantised, fuse=False) if each.graph.name == graph)


def safe(variant: Variant) -> dict[str, Any]:
    """Return how a tuned folder of `variant` is opened where it was not measured."""
    found = figures()
    chosen = Outcome(variant=variant, bytes=1, load=found, settled=found, deviation=SAME)
    made = manifest(
        Weights(name="model", source="file:m.onnx", sha256=None),
        source_sha256="ab",
        objective="cold",
        tolerance=0.01,
        version=onnxruntime.__version__,
        cpu={"machine": "x86_64", "features": ["avx2", "avx512_vnni"]},
        rounds=1,
        threads=1,
        default=outcome("default"),
        chosen=chosen,
    )
    opened: dict[str, Any] = made["safe"]
    return opened


def test_only_sums_of_bytes_are_kept_exact_on_other_processors() -> None:
    of_bytes = {kind for kind in QUANTISATIONS if safe(variant_of(kind, kind))["entries"] == EXACT}
    assert of_bytes == {"int8", "int8-per-channel", "static"}
    assert safe(variant_of("extended"))["entries"] == {}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors never saturate sums of bytes")
@pytest.mark.parametrize("kind", ["int8", "int8-per-channel", "static"])
def test_onnxruntime_then_takes_no_product_whose_sums_saturate(tmp_path: Path, kind: Quantisation) -> None:
    """It widens the weights to unsigned bytes, on every x86 processor whose kernels for both differ."""
    rows = np.random.default_rng(3).normal(size=(40, 32)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", x=rows)
    told = {"kind": kind, "vnni": True, "calibration": str(tmp_path / "rows.npz")}
    model = write_mlp(tmp_path / "original.onnx")
    for number, step in enumerate(variant_of(kind, kind).graph.steps):
        out = tmp_path / str(number)
        out.mkdir()
        work = quantise if step.name == "quantise" else make
        work.run({**told, "step": step.name, **step.arguments, "model": str(model), "out": str(out)})
        model = out / "model.onnx"
    opened = {name: weights_of(model, entries) for name, entries in (("as it is", {}), ("safe", EXACT))}
    assert opened["as it is"] == {TensorProto.INT8}
    assert opened["safe"] == {TensorProto.UINT8}


def weights_of(model: Path, entries: dict[str, str]) -> set[int]:
    """Return the types of the matrices that onnxruntime multiplies by."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(model.with_name("opened.onnx"))
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    graph = onnx.load(model.with_name("opened.onnx")).graph
    return {each.data_type for each in graph.initializer if len(each.dims) == 2}

"""Small ONNX models, made by the onnx package, and tuned folders as `preheat tune` writes them."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from preheat_handlers.onnx.cpu import cpu_features

OPSET = 17


def value(name: str, shape: Sequence[int | str | None] | None, kind: int = TensorProto.FLOAT) -> Any:
    """Return an input or an output."""
    return helper.make_tensor_value_info(name, kind, shape)


def written(
    path: Path,
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    weights: Mapping[str, Any] | None = None,
    *,
    opset: int = OPSET,
    domains: Mapping[str, int] | None = None,
    data: str | None = None,
) -> Path:
    """Write a model to `path`; with `data`, its weights into that file beside it."""
    initializers = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), initializers)
    opsets = [helper.make_opsetid(name, version) for name, version in {"": opset, **(domains or {})}.items()]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    if data is None:
        onnx.save(model, path)
    else:
        onnx.save(model, path, save_as_external_data=True, location=data, size_threshold=0)
    return path


def linear(path: Path, *, inner: int = 64, outer: int = 64, data: str | None = None) -> Path:
    """Write x (batch, inner) @ W -> y (batch, outer). Sums longer than 128 change with packed weights."""
    weights = {"W": np.random.default_rng(7).standard_normal((inner, outer)).astype(np.float32)}
    nodes = [helper.make_node("MatMul", ["x", "W"], ["y"])]
    return written(
        path, nodes, [value("x", ["batch", inner])], [value("y", ["batch", outer])], weights, data=data
    )


def ones(rows: int, columns: int = 64) -> Any:
    """Return an input of `linear` whose products are no round numbers."""
    return np.random.default_rng(rows).standard_normal((rows, columns)).astype(np.float32)


def tuned(folder: Path, **changes: Any) -> Path:
    """Write a tuned folder of `linear` for this machine: loaded without packing, then with. `changes` win."""
    inner = changes.pop("inner", 64)
    linear(folder / "model.onnx", inner=inner, data="model.data")
    packed = {"file": "model.onnx", "options": {"graph_optimization_level": "disable"}, "entries": {}}
    document = {
        "format": 1,
        "weights": "model",
        "runtime": {"name": "onnxruntime", "version": onnxruntime.__version__},
        "cpu": {"machine": os.uname().machine, "features": sorted(cpu_features())},
        "load": packed | {"entries": {"session.disable_prepacking": "1"}},
        "then": packed,
        "safe": {"file": "model.onnx", "options": {"graph_optimization_level": "all"}, "entries": {}},
        "files": {name: (folder / name).stat().st_size for name in ("model.onnx", "model.data")},
    }
    (folder / "tuned.json").write_text(json.dumps(document | changes))
    return folder

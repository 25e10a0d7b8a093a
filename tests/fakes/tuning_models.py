"""Small ONNX models with weights large enough to be laid beside the graph, made by the onnx package."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def write_mlp(
    path: Path,
    sizes: Sequence[int] = (32, 64, 64, 8),
    *,
    opset: int = OPSET,
    data: str | None = None,
    rows: int | str = "N",
) -> Path:
    """Write a perceptron of the layers `sizes`, ReLU between them: `x` (rows, first) to `y` (rows, last).

    `data` names the file beside `path` that takes the weights.
    """
    rng = np.random.default_rng(0)
    nodes, weights, name = [], [], "x"
    for number, (wide, narrow) in enumerate(pairwise(sizes)):
        matrix = rng.normal(0, wide**-0.5, (wide, narrow)).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"w{number}"))
        last = number == len(sizes) - 2
        nodes.append(helper.make_node("MatMul", [name, f"w{number}"], ["y" if last else f"h{number}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"h{number}"], [f"r{number}"]))
            name = f"r{number}"
    return save(path, nodes, weights, columns=(sizes[0], sizes[-1]), opset=opset, data=data, rows=rows)


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    weights: Sequence[onnx.TensorProto],
    *,
    columns: tuple[int, int],
    opset: int = OPSET,
    data: str | None = None,
    rows: int | str = "N",
    domains: Sequence[str] = (),
) -> Path:
    """Write a graph from `x` to `y`, both of float32 rows."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, columns[0]])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, columns[1]])]
    graph = helper.make_graph(list(nodes), "test", inputs, outputs, list(weights))
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(name, 1) for name in domains)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path, save_as_external_data=data is not None, location=data, size_threshold=0)
    return path

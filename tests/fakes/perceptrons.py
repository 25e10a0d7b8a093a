"""Perceptrons as ONNX files: with several layers, there is something to optimise and to quantise."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from onnx import helper
from tests.fakes.onnx_models import OPSET, value, written


def write_mlp(
    path: Path,
    sizes: Sequence[int] = (32, 64, 64, 8),
    *,
    opset: int = OPSET,
    data: str | None = None,
    rows: int | str = "N",
) -> Path:
    """Write the layers `sizes` with ReLU between them: `x` (rows, first) to `y` (rows, last).

    `data` names the file beside `path` that takes the weights.
    """
    rng = np.random.default_rng(0)
    nodes, weights, name = [], {}, "x"
    for number, (wide, narrow) in enumerate(pairwise(sizes)):
        weights[f"w{number}"] = rng.normal(0, wide**-0.5, (wide, narrow)).astype(np.float32)
        last = number == len(sizes) - 2
        nodes.append(helper.make_node("MatMul", [name, f"w{number}"], ["y" if last else f"h{number}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"h{number}"], [f"r{number}"]))
            name = f"r{number}"
    ends = [value("x", [rows, sizes[0]])], [value("y", [rows, sizes[-1]])]
    return written(path, nodes, *ends, weights, opset=opset, data=data)

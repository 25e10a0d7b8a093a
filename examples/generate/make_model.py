"""Write model.onnx: a transformer of two layers whose weights are computed, not trained.

It goes on with what followed the last time that the current bytes were there, and ends where they are new.
That is what Olsson et al. found trained models to do, "In-context Learning and Induction Heads" (2022):

    layer 1   three heads copy the tokens 1, 2 and 3 places back to where the model is
    layer 2   one head looks for where the same tokens went before, and copies what stood there

Every weight is a whole number, small or a power of two, so that float32 and TF32 compute without rounding:
the answers are the same on every machine. Needs the package onnx: python make_model.py
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

END, CONTEXT, LAYERS, HEADS, HEAD = 256, 512, 2, 3, 26
BYTE, PLACE = 8, 9
"""Bits of a byte, and of a place below CONTEXT."""

TOKEN, IS_END = slice(0, 8), 8
BEFORE = [slice(9 + 8 * back, 17 + 8 * back) for back in range(3)]
OUT, OUT_END = slice(33, 41), 41
HERE = slice(42, 51)
BACK = [slice(51 + 9 * back, 60 + 9 * back) for back in range(3)]
RECENT, ONE, WIDTH = 78, 79, 80
"""Where each thing lies in the residual stream."""

SHARP = 64
"""So much that softmax picks one place: exp(-2 * SHARP) is 0 in float32."""

SAME = (1 << 23, 1 << 19, 1 << 15)
"""What a bit that agrees is worth 1, 2 and 3 tokens back. Each outweighs all that follow, and the places."""

NEW = 7 * SAME[0]
"""What END's place, the first, is worth: more than a byte with one bit wrong, less than the same byte."""

LOGIT = 2
Array = NDArray[np.float32]


def bits(values: NDArray[np.int64], count: int) -> Array:
    """Return each value's bits as -1 and 1, (values, count)."""
    return (2 * (values[:, None] >> np.arange(count) & 1) - 1).astype(np.float32)


def token_embedding() -> Array:
    """Return (257, WIDTH). END has no bits: it agrees with nothing, and differs from nothing."""
    table = np.zeros((END + 1, WIDTH), np.float32)
    table[:END, TOKEN] = bits(np.arange(END), BYTE)
    table[END, IS_END] = table[:, ONE] = 1
    return table


def position_embedding() -> Array:
    """Return (CONTEXT, WIDTH): the bits of a place, and of the places before it, of which the first is 0."""
    places = np.arange(CONTEXT)
    table = np.zeros((CONTEXT, WIDTH), np.float32)
    table[:, HERE] = bits(places, PLACE)
    for back, where in enumerate(BACK, start=1):
        table[:, where] = bits(np.maximum(places - back, 0), PLACE)
    table[:, RECENT] = places
    return table


def first_layer() -> dict[str, Array]:
    """Return the weights of the heads that look back."""
    query, key, value = (np.zeros((WIDTH, HEADS, HEAD), np.float32) for _ in range(3))
    out = np.zeros((HEADS, HEAD, WIDTH), np.float32)
    for head in range(HEADS):
        query[BACK[head], head, :PLACE] = SHARP * np.eye(PLACE)
        key[HERE, head, :PLACE] = np.eye(PLACE)
        value[TOKEN, head, :BYTE] = out[head, :BYTE, BEFORE[head]] = np.eye(BYTE)
    return flat(query, key, value, out)


def second_layer() -> dict[str, Array]:
    """Return the weights of the head that looks for the same tokens, and the later of two equal places."""
    query, key, value = (np.zeros((WIDTH, HEADS, HEAD), np.float32) for _ in range(3))
    out = np.zeros((HEADS, HEAD, WIDTH), np.float32)
    for back, (now, then) in enumerate(zip((TOKEN, *BEFORE), BEFORE, strict=False)):
        part = slice(back * BYTE, (back + 1) * BYTE)
        query[now, 0, part] = SAME[back] * np.eye(BYTE)
        key[then, 0, part] = np.eye(BYTE)
    query[ONE, 0, 24] = SHARP
    key[RECENT, 0, 24] = 1
    query[ONE, 0, 25] = NEW
    key[IS_END, 0, 25] = 1
    value[TOKEN, 0, :BYTE] = out[0, :BYTE, OUT] = np.eye(BYTE)
    value[IS_END, 0, BYTE] = out[0, BYTE, OUT_END] = 1
    return flat(query, key, value, out)


def flat(query: Array, key: Array, value: Array, out: Array) -> dict[str, Array]:
    """Return the weights of a layer with its heads side by side."""
    wide = {"query": query, "key": key, "value": value}
    return {name: each.reshape(WIDTH, -1) for name, each in wide.items()} | {"out": out.reshape(-1, WIDTH)}


def unembedding() -> Array:
    """Return (WIDTH, 257), the logits of each token."""
    table = np.zeros((WIDTH, END + 1), np.float32)
    table[OUT, :END] = LOGIT * bits(np.arange(END), BYTE).T
    table[OUT_END, END] = LOGIT * BYTE
    return table


class Graph:
    """Nodes and constants, in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: object, kind: type = np.int64) -> str:
        """Add a constant and return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, kind), name))
        return name

    def add(self, operator: str, *inputs: str, named: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        name = named or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name


def allowed(graph: Graph) -> str:
    """Add what each token may look at, (rows, 1, new, past + new): no padding, and nothing later."""
    zero, one = graph.constant("zero", 0), graph.constant("one", 1)
    places = graph.add("Gather", graph.add("Shape", "attention_mask"), one)
    past = graph.add("Sub", places, graph.add("Gather", graph.add("Shape", "input_ids"), one))
    queries = graph.add("Unsqueeze", graph.add("Range", past, places, one), graph.constant("last", [1]))
    earlier = graph.add("LessOrEqual", graph.add("Range", zero, places, one), queries)
    real = graph.add("Cast", "attention_mask", to=TensorProto.BOOL)
    return graph.add("And", earlier, graph.add("Unsqueeze", real, graph.constant("inner", [1, 2])))


def attend(graph: Graph, layer: int, weights: dict[str, Array], stream: str, mask: str) -> str:
    """Add a layer and return the residual stream after it."""

    def projected(name: str) -> str:
        matrix = graph.constant(f"{name}_{layer}", weights[name], np.float32)
        split = graph.add("Reshape", graph.add("MatMul", stream, matrix), "split")
        return graph.add("Transpose", split, perm=[0, 2, 1, 3])

    def cached(name: str) -> str:
        past, present = f"past_key_values.{layer}.{name}", f"present.{layer}.{name}"
        return graph.add("Concat", past, projected(name), named=present, axis=2)

    key, value = cached("key"), cached("value")
    scores = graph.add("MatMul", projected("query"), graph.add("Transpose", key, perm=[0, 1, 3, 2]))
    shares = graph.add("Softmax", graph.add("Where", mask, scores, "least"), axis=-1)
    mixed = graph.add("Transpose", graph.add("MatMul", shares, value), perm=[0, 2, 1, 3])
    out = graph.constant(f"out_{layer}", weights["out"], np.float32)
    return graph.add("Add", stream, graph.add("MatMul", graph.add("Reshape", mixed, "join"), out))


def model() -> onnx.ModelProto:
    """Return the model, with the inputs and outputs that decoder.py names."""
    graph = Graph()
    graph.constant("split", [0, 0, HEADS, HEAD])
    graph.constant("join", [0, 0, HEADS * HEAD])
    graph.constant("least", np.finfo(np.float32).min, np.float32)
    tokens = graph.add("Gather", graph.constant("tokens", token_embedding(), np.float32), "input_ids")
    places = graph.add("Gather", graph.constant("places", position_embedding(), np.float32), "position_ids")
    stream = graph.add("Add", tokens, places)
    mask = allowed(graph)
    for layer, weights in enumerate((first_layer(), second_layer())):
        stream = attend(graph, layer, weights, stream, mask)
    graph.add("MatMul", stream, graph.constant("unembedding", unembedding(), np.float32), named="logits")

    def tensor(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    caches = [f"{layer}.{part}" for layer in range(LAYERS) for part in ("key", "value")]
    inputs = [
        tensor("input_ids", TensorProto.INT64, "rows", "new"),
        tensor("attention_mask", TensorProto.INT64, "rows", "past + new"),
        tensor("position_ids", TensorProto.INT64, "rows", "new"),
        *(
            tensor(f"past_key_values.{each}", TensorProto.FLOAT, "rows", HEADS, "past", HEAD)
            for each in caches
        ),
    ]
    outputs = [
        tensor("logits", TensorProto.FLOAT, "rows", "new", END + 1),
        *(tensor(f"present.{each}", TensorProto.FLOAT, "rows", HEADS, "past + new", HEAD) for each in caches),
    ]
    made = helper.make_graph(graph.nodes, "induction", inputs, outputs, graph.constants)
    opset = helper.make_opsetid("", 17)
    return helper.make_model(made, opset_imports=[opset], ir_version=8, producer_name="make_model.py")


if __name__ == "__main__":
    checked = model()
    onnx.checker.check_model(checked, full_check=True)
    path = Path(__file__).with_name("model.onnx")
    path.write_bytes(checked.SerializeToString(deterministic=True))

"""Writes the ONNX model of the `onnx` template without the onnx package, so that its bytes can be explained.

The model is a logistic regression on Fisher's iris measurements (1936; the copy that scikit-learn
1.9 ships): LogisticRegression(max_iter=5000), coefficients rounded to four digits, 97.3 % of the
150 flowers right. Field numbers are those of onnx.proto3 (IR version 8, opset 13).
"""

import struct
from collections.abc import Sequence

COEFFICIENTS = (
    (-0.4242, 0.5346, -0.1105),
    (0.9663, -0.3204, -0.6459),
    (-2.516, -0.207, 2.7231),
    (-1.0821, -0.9432, 2.0253),
)
"""One row for each of sepal length, sepal width, petal length, petal width; one column for each species."""
INTERCEPTS = (9.8553, 2.2342, -12.0895)
FLOAT = 1


def iris_model() -> bytes:
    """Return the bytes of the model: `measurements` (N x 4) in, `probabilities` (N x 3) out."""
    weights = [value for row in COEFFICIENTS for value in row]
    graph = (
        _bytes(1, _node("Gemm", ["measurements", "coefficients", "intercepts"], ["scores"]))
        + _bytes(1, _node("Softmax", ["scores"], ["probabilities"]))
        + _text(2, "iris")
        + _bytes(5, _tensor("coefficients", (4, 3), weights))
        + _bytes(5, _tensor("intercepts", (3,), INTERCEPTS))
        + _bytes(11, _value("measurements", 4))
        + _bytes(12, _value("probabilities", 3))
    )
    opset = _number(2, 13)
    return _number(1, 8) + _text(2, "preheat") + _bytes(7, graph) + _bytes(8, opset)


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    names = b"".join(_text(1, name) for name in inputs) + b"".join(_text(2, name) for name in outputs)
    return names + _text(4, operator)


def _tensor(name: str, shape: Sequence[int], values: Sequence[float]) -> bytes:
    dimensions = b"".join(_number(1, size) for size in shape)
    raw = struct.pack(f"<{len(values)}f", *values)
    return dimensions + _number(2, FLOAT) + _text(8, name) + _bytes(9, raw)


def _value(name: str, columns: int) -> bytes:
    shape = _bytes(1, _text(2, "N")) + _bytes(1, _number(1, columns))
    tensor = _number(1, FLOAT) + _bytes(2, shape)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

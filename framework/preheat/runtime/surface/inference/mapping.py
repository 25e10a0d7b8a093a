"""From a contract document to the model's tensors, and between those and the engine's bodies. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preheat.errors import BadInput
from preheat.interface.media import NPY
from preheat.interface.message import JSON_TYPE, Response
from preheat.runtime.surface.inference.datatypes import BYTES, DTYPES
from preheat.runtime.surface.inference.npy import read_npy, write_npy
from preheat.runtime.surface.inference.tensors import Tensor, measure, nest, split, spread, stack

_SCALARS = {"integer": "INT64", "number": "FP64", "boolean": "BOOL", "string": BYTES}


@dataclass(frozen=True, slots=True)
class Field:
    """One tensor of a model; -1 in `shape` is any size. A scalar has the shape [1] and no lists in JSON."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    required: bool = True
    scalar: bool = False

    def describe(self) -> dict[str, Any]:
        """Return what the model's metadata says of it."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


@dataclass(frozen=True, slots=True)
class Side:
    """The input or the output of a handler: `kind` is tensor, object, or document (JSON in BYTES)."""

    kind: str
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, schema: Mapping[str, Any], name: str) -> "Side":
        """Read one JSON Schema of a contract document."""
        if "x-preheat-tensor" in schema:
            return cls("tensor", (_field(name, schema, required=True),))
        required = schema.get("required", ())
        properties = schema.get("properties", {}) if schema.get("type") == "object" else {}
        if properties and all(_is_tensor(each) for each in properties.values()):
            return cls(
                "object",
                tuple(_field(key, each, required=key in required) for key, each in properties.items()),
            )
        return cls("document", (Field(name, BYTES, (-1,)),))


class Mapped:
    """One handler as a model of the protocol."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.input = Side.of(document["input"], "input")
        self.output = Side.of(document["output"], "output")
        self._batched = document.get("batching") is not None
        self.accept = NPY if self.output.kind == "tensor" else JSON_TYPE

    def calls(self, inputs: Mapping[str, Tensor]) -> tuple[list[tuple[str, bytes]], bool]:
        """Return content type and body of each engine call, and whether the outputs are to be stacked."""
        known = {field.name: field for field in self.input.fields}
        if unknown := [name for name in inputs if name not in known]:
            raise BadInput(f"There is no input {unknown[0]!r}; there are {', '.join(known)}.")
        if missing := [field.name for field in known.values() if field.required and field.name not in inputs]:
            raise BadInput(f"The input {missing[0]!r} is missing.")
        for name, tensor in inputs.items():
            if tensor.datatype != known[name].datatype:
                raise BadInput(f"Input {name!r} is {known[name].datatype}, got {tensor.datatype}.")
        many = self.input.kind == "document" or self._has_batch(inputs, known)
        items = _items(inputs) if many else [inputs]
        for item in items:
            for name, tensor in item.items():
                _check_shape(tensor, () if self.input.kind == "document" else known[name].shape)
        return [self._call(item, known) for item in items], many

    def outputs(self, answers: Sequence[Response], *, stacked: bool) -> list[Tensor]:
        """Return the output tensors of the engine's answers, one answer for each call."""
        each = [self._read(answer) for answer in answers]
        if self.output.kind == "document":
            documents = [answer.body for answer in answers]
            return [Tensor.of("output", BYTES, (len(documents),), documents)]
        return [stack(column) for column in zip(*each, strict=True)] if stacked else each[0]

    def _has_batch(self, inputs: Mapping[str, Tensor], known: Mapping[str, Field]) -> bool:
        ranks = {len(tensor.shape) - len(known[name].shape) for name, tensor in inputs.items()}
        return self._batched and ranks == {1}

    def _call(self, item: Mapping[str, Tensor], known: Mapping[str, Field]) -> tuple[str, bytes]:
        if self.input.kind == "tensor":
            return NPY, write_npy(item["input"])
        if self.input.kind == "document":
            return JSON_TYPE, item["input"].values()[0]
        value = {name: _to_json(tensor, scalar=known[name].scalar) for name, tensor in item.items()}
        try:
            return JSON_TYPE, json.dumps(value, allow_nan=False).encode()
        except ValueError as exc:
            raise BadInput("NaN and infinity are not offered.") from exc

    def _read(self, answer: Response) -> list[Tensor]:
        if self.output.kind == "document":
            return []
        if answer.content_type == NPY:
            return [read_npy(answer.body, "output", self.output.fields[0].datatype)]
        value = json.loads(answer.body)
        if self.output.kind == "tensor":
            value = {"output": value}
        return [_from_json(field, value[field.name]) for field in self.output.fields]


def _is_tensor(schema: Mapping[str, Any]) -> bool:
    if "x-preheat-tensor" in schema:
        return True
    return schema.get("type") in list(_SCALARS) and "contentEncoding" not in schema


def _field(name: str, schema: Mapping[str, Any], *, required: bool) -> Field:
    tensor = schema.get("x-preheat-tensor")
    if tensor is None:
        return Field(name, _SCALARS[schema["type"]], (1,), required, scalar=True)
    shape = tuple(-1 if size is None else size for size in tensor["shape"])
    return Field(name, DTYPES[tensor["dtype"]], shape, required)


def _items(inputs: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    if odd := next((name for name, tensor in inputs.items() if not tensor.shape), None):
        raise BadInput(f"Input {odd!r} needs a shape with one dimension.")
    sizes = {tensor.shape[0] for tensor in inputs.values()}
    if len(sizes) != 1 or sizes == {0}:
        raise BadInput(f"The inputs' first dimensions are {sorted(sizes)}; expected one size above 0.")
    columns = [split(tensor) for tensor in inputs.values()]
    return [{tensor.name: tensor for tensor in row} for row in zip(*columns, strict=True)]


def _check_shape(tensor: Tensor, declared: tuple[int, ...]) -> None:
    same = len(tensor.shape) == len(declared)
    if not same or any(w not in (-1, s) for s, w in zip(tensor.shape, declared, strict=True)):
        raise BadInput(
            f"Input {tensor.name!r} has the shape {list(tensor.shape)}, expected {list(declared)}."
        )


def _to_json(tensor: Tensor, *, scalar: bool) -> Any:
    values = tensor.values()
    if tensor.datatype == BYTES:
        try:
            values = [value.decode() for value in values]
        except UnicodeDecodeError as exc:
            raise BadInput(f"Input {tensor.name!r} is no UTF-8.") from exc
    return values[0] if scalar else nest(values, tensor.shape)


def _from_json(field: Field, value: Any) -> Tensor:
    if field.scalar:
        return Tensor.of(field.name, field.datatype, (1,), [value])
    shape = measure(value, field.shape)
    return Tensor.of(field.name, field.datatype, shape, spread(value, len(shape)))

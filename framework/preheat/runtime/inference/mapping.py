"""From a contract document to the model's tensors, and between those and the engine's bodies. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preheat.errors import BadInput, HandlerFailed
from preheat.interface.media import NPY
from preheat.interface.message import JSON_TYPE, Response
from preheat.interface.multipart import MAX_PARTS
from preheat.runtime.inference.bodies import Body, write_form, write_object
from preheat.runtime.inference.datatypes import BYTES, DTYPES
from preheat.runtime.inference.npy import read_npy, write_npy
from preheat.runtime.inference.tensors import Tensor, measure, split, spread, stack

MAX_ITEMS = 4096
"""How many items one request may hold: each costs memory of its own, however few bytes it has."""

_SCALARS = {"integer": "INT64", "number": "FP64", "boolean": "BOOL", "string": BYTES}
_FORM = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Field:
    """One tensor of a model; -1 in `shape` is any size. A scalar has the shape [1] and no lists in JSON."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    required: bool = True
    scalar: bool = False


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
        return cls("document", (Field(name, BYTES, ()),))


class Mapped:
    """One handler as a model of the protocol.

    `many` says whether a tensor may hold several items along a first axis: documents always do.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.input = Side.of(document["input"], "input")
        self.output = Side.of(document["output"], "output")
        batching = document.get("batching")
        self.many = self.input.kind == "document" or (batching is not None and not batching.get("rows"))
        self.accept = NPY if self.output.kind == "tensor" else JSON_TYPE
        self._known = {field.name: field for field in self.input.fields}
        form = _FORM in document["input_media"] and len(self._known) <= MAX_PARTS
        self._write_object = write_form if form and all(map(str.isidentifier, self._known)) else write_object

    def shape(self, field: Field) -> list[int]:
        """Return the shape that the model's metadata tells of a field; an axis for several items is -1."""
        return [-1, *field.shape] if self.many else list(field.shape)

    def calls(self, inputs: Mapping[str, Tensor]) -> tuple[list[Body], bool]:
        """Return the body of each engine call, and whether the outputs are to be stacked. Raises BadInput."""
        if unknown := [name for name in inputs if name not in self._known]:
            raise BadInput(f"There is no input {unknown[0][:100]!r}; there are {', '.join(self._known)}.")
        required = (field.name for field in self.input.fields if field.required)
        if missing := [name for name in required if name not in inputs]:
            raise BadInput(f"The input {missing[0]!r} is missing.")
        for name, tensor in inputs.items():
            if tensor.datatype != self._known[name].datatype:
                raise BadInput(f"Input {name!r} is {self._known[name].datatype}, got {tensor.datatype}.")
        many = self.input.kind == "document" or (self.many and self._has_first_axis(inputs))
        for tensor in inputs.values():
            self._check_shape(tensor, many=many)
        items = _items(inputs) if many else [inputs]
        return [self._call(item) for item in items], many

    def outputs(self, answers: Sequence[Response], *, stacked: bool) -> list[Tensor]:
        """Return the output tensors of good answers, one for each call. Raises HandlerFailed."""
        if self.output.kind == "document":
            documents = [answer.body for answer in answers]
            return [Tensor.of("output", BYTES, (len(documents),), documents)]
        items = [self._read(answer) for answer in answers]
        if not stacked:
            return items[0]
        described = {tuple((tensor.name, tensor.shape) for tensor in item) for item in items}
        if len(described) > 1:
            first, second, *_ = (_shown(each) for each in sorted(described))
            raise HandlerFailed(
                f"The items' results have different shapes, such as {first} and {second}, which make no "
                "tensor. Send the items one by one."
            )
        return [stack(column) for column in zip(*items, strict=True)]

    def _has_first_axis(self, inputs: Mapping[str, Tensor]) -> bool:
        return {len(tensor.shape) - len(self._known[name].shape) for name, tensor in inputs.items()} == {1}

    def _check_shape(self, tensor: Tensor, *, many: bool) -> None:
        field = self._known[tensor.name]
        wanted = (-1, *field.shape) if many else field.shape
        same = len(tensor.shape) == len(wanted)
        if not same or any(w not in (-1, s) for s, w in zip(tensor.shape, wanted, strict=True)):
            also = f", or {[-1, *field.shape]} for several items" if self.many and not many else ""
            raise BadInput(
                f"Input {tensor.name!r} has the shape {list(tensor.shape)}, expected {list(wanted)}{also}."
            )

    def _call(self, item: Mapping[str, Tensor]) -> Body:
        if self.input.kind == "tensor":
            return Body(NPY, write_npy(item["input"]))
        if self.input.kind == "document":
            return Body(JSON_TYPE, item["input"].values()[0])
        return self._write_object(item, scalars={field.name for field in self.input.fields if field.scalar})

    def _read(self, answer: Response) -> list[Tensor]:
        if answer.content_type == NPY:
            return [read_npy(answer.body, "output", self.output.fields[0].datatype)]
        value = json.loads(answer.body)
        if self.output.kind == "tensor":
            value = {"output": value}
        return [_from_json(field, value[field.name]) for field in self.output.fields if field.name in value]


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
    sizes = {tensor.shape[0] for tensor in inputs.values()}
    if len(sizes) != 1 or not 0 < min(sizes) <= MAX_ITEMS:
        raise BadInput(
            f"The inputs' first dimensions are {sorted(sizes)}; expected one size from 1 to {MAX_ITEMS}."
        )
    columns = [split(tensor) for tensor in inputs.values()]
    return [{tensor.name: tensor for tensor in row} for row in zip(*columns, strict=True)]


def _from_json(field: Field, value: Any) -> Tensor:
    shape = (1,) if field.scalar else measure(value, field.shape)
    try:
        return Tensor.of(
            field.name, field.datatype, shape, [value] if field.scalar else spread(value, len(shape))
        )
    except BadInput as exc:
        raise HandlerFailed(f"The result {field.name!r} is no {field.datatype}: {exc.message}.") from exc


def _shown(item: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in item)

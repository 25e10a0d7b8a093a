"""One tensor of the protocol: flat, nested, split into items and stacked again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from preheat.errors import BadInput
from preheat.runtime.surface.inference.datatypes import BYTES, check_length, pack, unpack

MAX_DIMENSIONS = 32


@dataclass(frozen=True, slots=True)
class Tensor:
    """`raw` is what the binary extension carries: little-endian, row-major, BYTES each after a length."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    raw: bytes

    @classmethod
    def of(cls, name: str, datatype: str, shape: tuple[int, ...], values: Sequence[Any]) -> "Tensor":
        """Return the tensor of flat `values`. Raises BadInput for values that do not fit."""
        if len(values) != prod(shape):
            raise BadInput(f"the shape {list(shape)} has {prod(shape)} elements, got {len(values)}")
        return cls(name, datatype, shape, pack(datatype, values))

    def checked(self) -> "Tensor":
        """Return itself. Raises BadInput where `raw` is not what the shape says."""
        if self.datatype == BYTES:
            unpack(BYTES, self.raw, prod(self.shape))
        else:
            check_length(self.datatype, self.raw, prod(self.shape))
        return self

    def values(self) -> list[Any]:
        """Return the elements in row-major order."""
        return unpack(self.datatype, self.raw, prod(self.shape))


def flatten(data: Any, shape: tuple[int, ...]) -> list[Any]:
    """Return the elements of `data`, which is flat or nested as `shape` says. Raises BadInput."""
    if not isinstance(data, list):
        raise BadInput("data is no array")
    if not any(isinstance(entry, list) for entry in data):
        return list(data)
    for axis, size in enumerate(shape):
        if len(data) != prod(shape[: axis + 1]):
            raise BadInput(f"the nested data does not have the shape {list(shape)}")
        if axis == len(shape) - 1:
            return list(data)
        if not all(isinstance(entry, list) and len(entry) == shape[axis + 1] for entry in data):
            raise BadInput(f"the nested data does not have the shape {list(shape)}, which has {size} here")
        data = [inner for entry in data for inner in entry]
    raise BadInput("the data is nested, and the shape has no dimension")


def nest(values: list[Any], shape: tuple[int, ...]) -> Any:
    """Return flat `values` as nested lists; the value itself for a shape without dimensions."""
    if not shape:
        return values[0]
    for axis in range(len(shape) - 1, 0, -1):
        size = shape[axis]
        values = [values[at * size : (at + 1) * size] for at in range(prod(shape[:axis]))]
    return values


def measure(nested: Any, declared: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of nested lists; an axis that an empty one hides is as declared, or 0."""
    shape = []
    for size in declared:
        if isinstance(nested, list):
            shape.append(len(nested))
            nested = nested[0] if nested else None
        else:
            shape.append(max(size, 0))
    return tuple(shape)


def spread(nested: Any, depth: int) -> list[Any]:
    """Return the elements of lists nested `depth` deep."""
    values = [nested]
    for _ in range(depth):
        values = [entry for value in values for entry in value]
    return values


def split(tensor: Tensor) -> list[Tensor]:
    """Return the items along the first axis."""
    count, shape = tensor.shape[0], tensor.shape[1:]
    if tensor.datatype == BYTES:
        values, each = tensor.values(), prod(shape)
        return [
            Tensor.of(tensor.name, BYTES, shape, values[at * each : (at + 1) * each]) for at in range(count)
        ]
    width = len(tensor.raw) // count if count else 0
    return [
        Tensor(tensor.name, tensor.datatype, shape, tensor.raw[at * width : (at + 1) * width])
        for at in range(count)
    ]


def stack(items: Sequence[Tensor]) -> Tensor:
    """Return one tensor with a new first axis. Raises BadInput where the items' shapes differ."""
    first = items[0]
    if odd := next((item for item in items if item.shape != first.shape), None):
        raise BadInput(
            f"The items' outputs {first.name!r} have the shapes {list(first.shape)} and {list(odd.shape)}, "
            "which make no tensor. Send them one by one."
        )
    raw = b"".join(item.raw for item in items)
    return Tensor(first.name, first.datatype, (len(items), *first.shape), raw)

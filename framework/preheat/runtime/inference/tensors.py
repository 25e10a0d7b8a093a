"""One tensor of the protocol: flat, nested, split into items and stacked again. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from preheat.errors import BadInput
from preheat.runtime.inference.datatypes import BYTES, check_length, pack, shown, unpack

MAX_DIMENSIONS = 32
EMPTY_SIZES = 4096
"""How large the product of an empty tensor's other sizes may be, however short the request is."""


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


def check_shape(sizes: Iterable[object], request_bytes: int) -> tuple[int, ...]:
    """Return a shape as sent in a request of so many bytes. Raises BadInput."""
    shape = []
    for size in sizes:
        if type(size) is not int or size < 0:
            raise BadInput(f"a size in the shape is {shown(size)}; expected an integer from 0")
        shape.append(size)
    if len(shape) > MAX_DIMENSIONS:
        raise BadInput(f"the shape has {len(shape)} dimensions, at most {MAX_DIMENSIONS} are read")
    # An element takes a byte or more; an empty tensor, which takes none, may not ask for long loops either.
    if prod(max(size, 1) for size in shape) > max(request_bytes, EMPTY_SIZES):
        raise BadInput("the shape has more elements than the request has bytes")
    return tuple(shape)


def flatten(data: Any, shape: tuple[int, ...]) -> list[Any]:
    """Return the elements of `data`, which is flat or nested as `shape` says. Raises BadInput."""
    if not isinstance(data, list):
        raise BadInput("data is no array")
    if not any(isinstance(entry, list) for entry in data):
        return list(data)
    level: list[Any] = [data]
    for axis, size in enumerate(shape):
        for place, entry in enumerate(level):
            if not isinstance(entry, list) or len(entry) != size:
                got = f"an array of {len(entry)}" if isinstance(entry, list) else shown(entry)
                at = _place(place, shape[:axis])
                raise BadInput(f"the shape {list(shape)} wants an array of {size} at {at}, got {got}")
        level = [inner for entry in level for inner in entry]
    for place, entry in enumerate(level):
        if isinstance(entry, list):
            at = _place(place, shape)
            raise BadInput(f"the shape {list(shape)} wants an element at {at}, got an array")
    return level


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
    """Return one tensor with a new first axis, of items of one shape."""
    first = items[0]
    raw = b"".join(item.raw for item in items)
    return Tensor(first.name, first.datatype, (len(items), *first.shape), raw)


def _place(position: int, sizes: Sequence[int]) -> str:
    """Return where the entry at `position` of a flattened array is, such as data[1][0]."""
    indices: list[int] = []
    for size in reversed(sizes):
        position, index = divmod(position, size)
        indices.append(index)
    return "data" + "".join(f"[{index}]" for index in reversed(indices))

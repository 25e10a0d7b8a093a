"""What an ONNX file says of itself: names, shapes and types, without onnx, onnxruntime or its weights.

Field numbers are those of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (2026-11-21).
"""

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from preheat.errors import HandlerError
from preheat_handlers.onnx.wire import NotProtobuf, fields, inner, text, whole

_NAMES = (
    *(
        "float32",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "float64",
    ),
    *("uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz"),
    *("float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1"),
)
DTYPES = dict(enumerate(_NAMES, 1))
"""TensorProto.DataType."""

_OTHERS = {4: "a sequence", 5: "a map", 8: "a sparse tensor", 9: "an optional"}
_EXTERNAL = 1
_INITIALIZERS_ARE_INPUTS_BELOW = 4
"""Up to IR version 3 every initializer is listed among the inputs as well."""


@dataclass(frozen=True, slots=True)
class Value:
    """One input or output. A size in `shape` is a number, a name that it shares with others, or None.

    `shape` is None where the file has none. `dtype` is NumPy's name, `string`, or ONNX's own where NumPy has
    none; it is empty where the value is no tensor, and `kind` says what it is.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None
    kind: str = "a tensor"


@dataclass(frozen=True, slots=True)
class Graph:
    """A model from outside. `opsets` maps a domain to its version; that of ONNX itself is empty."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    opsets: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a model wants around it: files beside it, with the bytes they have at least, and operators."""

    files: Mapping[str, int]
    operators: frozenset[tuple[str, str]]


def read_graph(path: Path) -> Graph:
    """Read the outside of the model in `path`. Raises HandlerError for a file that is none."""
    with _Mapped(path) as data:
        opsets, graphs, version = dict[str, int](), list[memoryview](), 0
        for number, value in fields(data):
            if number == 1 and isinstance(value, int):
                version = value
            elif number == 7 and isinstance(value, memoryview):
                graphs.append(value)
            elif number == 8 and isinstance(value, memoryview):
                opsets[_domain(text(value, 1))] = whole(value, 2)
        if not graphs:
            raise NotProtobuf("no graph")
        inputs, outputs, initial = list[Value](), list[Value](), set[str]()
        for number, value in fields(graphs[-1]):
            if number == 11 and isinstance(value, memoryview):
                inputs.append(_value(value))
            elif number == 12 and isinstance(value, memoryview):
                outputs.append(_value(value))
            elif number == 5 and isinstance(value, memoryview) and version < _INITIALIZERS_ARE_INPUTS_BELOW:
                initial.add(text(value, 8))
        free = tuple(value for value in inputs if value.name not in initial)
        return Graph(free, tuple(outputs), opsets)


def read_needs(path: Path) -> Needs:
    """Read every node and initializer of the model in `path`, those of inner graphs too."""
    with _Mapped(path) as data:
        sizes, operators = dict[str, int](), set[tuple[str, str]]()
        for graph in inner(data, 7):
            for name, end in _external(graph):
                sizes[name] = max(end, sizes.get(name, 0))
            operators.update(_operators(graph))
        return Needs(sizes, frozenset(operators))


class _Mapped:
    """The file as a view; whatever is wrong with it comes out as HandlerError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> memoryview:
        try:
            with self._path.open("rb") as file:
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except FileNotFoundError as exc:
            raise HandlerError(f"There is no model {self._path}.") from exc
        except ValueError as exc:
            raise self._none(str(exc)) from exc

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, NotProtobuf):
            raise self._none(str(error)) from error

    def _none(self, why: str) -> HandlerError:
        return HandlerError(
            f"{self._path.name} is no ONNX model ({why}).",
            hint='[weights.model]\nsource = "file:model.onnx"',
        )


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _value(data: memoryview) -> Value:
    """Read a ValueInfoProto."""
    name = text(data, 1)
    for kind in inner(data, 2):
        for number, value in fields(kind):
            if number == 1 and isinstance(value, memoryview):
                return Value(name, DTYPES.get(whole(value, 1), "unknown"), _shape(value))
            if number in _OTHERS:
                return Value(name, "", None, _OTHERS[number])
    return Value(name, "", None, "of unknown type")


def _shape(tensor: memoryview) -> tuple[int | str | None, ...] | None:
    for shape in inner(tensor, 2):
        sizes: list[int | str | None] = []
        for dimension in inner(shape, 1):
            size: int | str | None = None
            for number, value in fields(dimension):
                if number == 1 and isinstance(value, int) and value < 1 << 63:
                    size = value  # negative ones are ten bytes of varint, and mean any size
                elif number == 2 and isinstance(value, memoryview):
                    size = str(value, "utf-8", "replace") or None
            sizes.append(size)
        return tuple(sizes)
    return None


def _graphs(node: memoryview) -> Iterator[memoryview]:
    for attribute in inner(node, 5):
        yield from inner(attribute, 6)
        yield from inner(attribute, 11)


def _operators(graph: memoryview) -> Iterator[tuple[str, str]]:
    for node in inner(graph, 1):
        yield _domain(text(node, 7)), text(node, 4)
        for within in _graphs(node):
            yield from _operators(within)


def _external(graph: memoryview) -> Iterator[tuple[str, int]]:
    """Yield the file of each tensor that lies outside, and where in it the tensor ends."""
    for tensor in inner(graph, 5):
        if whole(tensor, 14) == _EXTERNAL:
            entries = {text(entry, 1): text(entry, 2) for entry in inner(tensor, 13)}
            end = int(entries.get("offset") or 0) + int(entries.get("length") or 0)
            yield entries.get("location", ""), end
    for node in inner(graph, 1):
        for within in _graphs(node):
            yield from _external(within)

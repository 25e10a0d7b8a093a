"""From what a model takes and gives to the annotations of a predict: a TypedDict with one array for each."""

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from preheat.errors import BadInput, HandlerError
from preheat.interface.media import Tensor
from preheat.interface.nodes.tensors import DTYPES
from preheat_handlers.onnx.graph import Graph, Value

NO_SIGNALS = frozenset({"int32", "int64", "bool", "string"})
"""Types of ids, masks and texts, of which a model takes any number."""
SIZES = (1, 8, 32, 64, 224, 512)
"""What free sizes of an example may be: kernels are wider than 1, and many models halve a picture often."""


def annotation(name: str, values: Sequence[Value], *, outputs: bool) -> Any:
    """Return the type called `name` of the object that holds `values`. Raises HandlerError."""
    members = {value.name: _member(value, outputs=outputs) for value in values}
    return TypedDict(name, members)  # type: ignore[operator]


def array_of(value: Any, described: Value) -> Any:
    """Return what onnxruntime takes for one member of an input."""
    return np.array(value, dtype=object) if described.dtype == "string" else value


def check_sizes(values: Sequence[Value], feeds: dict[str, Any]) -> None:
    """See that sizes of the same name are the same in all inputs. Raises BadInput."""
    known: dict[str, tuple[int, str]] = {}
    for value in values:
        for wanted, size in zip(value.shape or (), feeds[value.name].shape, strict=False):
            if isinstance(wanted, str):
                first, owner = known.setdefault(wanted, (size, value.name))
                if first != size:
                    raise BadInput(
                        f"The size {wanted!r} is {first} in {owner!r} and {size} in {value.name!r}; "
                        "it is one size."
                    )


def has_rows(graph: Graph, outputs: Sequence[Value]) -> bool:
    """Say whether every input and output has a free first axis of one name: rows of their own."""
    first = {value.shape[0] if value.shape else None for value in (*graph.inputs, *outputs)}
    return len(first) == 1 and isinstance(next(iter(first)), str)


def has_widths(values: Sequence[Value]) -> bool:
    """Say whether a free size may be a width, of a picture or a sound, which has to be large enough."""
    return any(
        value.dtype not in NO_SIGNALS and not all(isinstance(size, int) for size in (value.shape or ())[1:])
        for value in values
    )


def example(values: Sequence[Value], free: int) -> dict[str, Any]:
    """Return an input of zeros: one row, whose other free sizes are `free`."""
    rows = {value.shape[0] for value in values if value.shape}
    made: dict[str, Any] = {}
    for value in values:
        shape = tuple(
            size if isinstance(size, int) else 1 if not axis or (size and size in rows) else free
            for axis, size in enumerate(value.shape or ())
        )
        zeros = np.zeros(shape, dtype=object if value.dtype == "string" else value.dtype)
        made[value.name] = np.full(shape, "").tolist() if value.dtype == "string" else zeros
    return made


def _member(value: Value, *, outputs: bool) -> Any:
    side = "output" if outputs else "input"
    shape = tuple(size if isinstance(size, int) else None for size in value.shape or ())
    if value.dtype in DTYPES and value.shape is not None:
        return Annotated[NDArray[Any], Tensor(value.dtype, shape)]
    if value.dtype == "string" and value.shape is not None:
        text: Any = str
        for _ in shape:
            text = list[text]
        return text
    what = value.kind if not value.dtype else f"of the type {value.dtype}"
    if value.dtype in (*DTYPES, "string"):
        what = "a tensor of unknown rank"
    raise HandlerError(
        f"The {side} {value.name!r} of the model is {what}, which has no form in JSON.",
        hint=f"class Model(OnnxHandler):  # in handler.py\n    outputs = (...)  # without {value.name!r}"
        if outputs
        else "Derive from OnnxHandler and define preprocess(self, inputs: ...) -> dict[str, numpy.ndarray]",
    )

"""Arrays of every datatype as hypothesis draws them, and contract documents of handlers that take some."""

from typing import Any

import numpy
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.fakes.surface import CONTRACT

from preheat.runtime.inference.datatypes import DTYPES
from preheat.runtime.inference.tensors import Tensor

SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda dtype: arrays.arrays(
        dtype, SHAPES, elements={"allow_nan": False, "allow_infinity": False} if "float" in dtype else None
    )
)

VECTOR = {
    "type": "array",
    "items": {"type": "number"},
    "x-preheat-tensor": {"dtype": "float32", "shape": [None]},
}
TENSOR = CONTRACT | {"input": VECTOR, "output": VECTOR}
BATCHED = TENSOR | {"batching": {"max_size": 4, "max_wait_ms": 0}}
FIELDS = {
    "type": "object",
    "properties": {"v": VECTOR, "k": {"type": "integer"}, "s": {"type": "string"}},
    "required": ["v"],
}
OBJECT = CONTRACT | {"input": FIELDS, "output": FIELDS}


def tensor(array: "numpy.ndarray[Any, Any]", name: str = "x") -> Tensor:
    """Return `array` as a tensor of the protocol."""
    return Tensor(name, DTYPES[str(array.dtype)], array.shape, array.tobytes())

"""The NPY format without NumPy, which the process that answers HTTP does not have (numpy.lib.format)."""

import ast
import struct
from array import array
from math import prod
from typing import Literal

from preheat.errors import HandlerFailed
from preheat.runtime.inference.datatypes import CODES, DTYPES, size_of
from preheat.runtime.inference.tensors import Tensor

_KINDS = {dtype: "b" if dtype == "bool" else dtype[0] for dtype in DTYPES}
_DESCR = {
    datatype: f"{'|' if size_of(datatype) == 1 else '<'}{_KINDS[dtype]}{size_of(datatype)}"
    for dtype, datatype in DTYPES.items()
}
_SAME_SIZE: dict[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}
assert set(_DESCR) == set(CODES)


def write_npy(tensor: Tensor) -> bytes:
    """Return a tensor, not of BYTES, in version 1 of the format; the data starts at a multiple of 64."""
    header = repr({"descr": _DESCR[tensor.datatype], "fortran_order": False, "shape": tensor.shape})
    padded = header + " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode() + tensor.raw


def read_npy(data: bytes, name: str, datatype: str) -> Tensor:
    """Return what an engine answered. Raises HandlerFailed where it is no such array."""
    width = 2 if data[6:7] == b"\x01" else 4
    start = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    try:
        header = ast.literal_eval(data[8 + width : start].decode().strip())
        descr, fortran, shape = header["descr"], header["fortran_order"], tuple(header["shape"])
    except (ValueError, SyntaxError, TypeError, KeyError) as exc:
        raise HandlerFailed("The answer is no NPY array.") from exc
    raw = data[start:]
    if descr != _DESCR[datatype] or len(raw) != prod(shape) * size_of(datatype):
        raise HandlerFailed(
            f"The answer is an array of {descr!r} and {shape}, expected {_DESCR[datatype]!r}."
        )
    return Tensor(name, datatype, shape, _row_major(raw, shape, size_of(datatype)) if fortran else raw)


def _row_major(raw: bytes, shape: tuple[int, ...], size: int) -> bytes:
    """Return the elements, which come first axis fastest, last axis fastest."""
    places, stride = [0], 1
    strides = []
    for length in shape:
        strides.append(stride)
        stride *= length
    for length, step in zip(shape, strides, strict=True):
        places = [place + step * index for place in places for index in range(length)]
    code = _SAME_SIZE[size]
    elements = memoryview(raw).cast(code)
    return array(code, [elements[place] for place in places]).tobytes()

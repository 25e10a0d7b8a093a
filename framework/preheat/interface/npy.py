"""The NPY format, read without pickle and without trusting its header (numpy.lib.format, versions 1 to 3)."""

import ast
import re
import sys
from io import BytesIO
from math import prod
from typing import Any

import numpy

MAX_HEADER = 1024
MAX_DIMENSIONS = 32
_DESCR = re.compile(r"[<>|][a-zA-Z][0-9]+")


class NotNpy(ValueError):
    """The bytes are no array of the dtype that was asked for."""


def read_npy(data: bytes, dtype: "numpy.dtype[Any]") -> "numpy.ndarray[Any, Any]":
    """Return the array in `data`, writable and in native byte order. Raises NotNpy.

    Nothing is allocated before the shape was held against the number of bytes that came.
    """
    descr, fortran, shape, start = _read_header(data)
    if descr[1:] != dtype.str[1:]:
        raise NotNpy(f"expected an array of {dtype}, got one of {descr!r}")
    sent = dtype.newbyteorder(">" if descr[0] == ">" else "<") if dtype.itemsize > 1 else dtype
    # Also where another axis is 0, and so nothing follows (NPY_MAX_INTP bounds what NumPy makes).
    if prod(max(size, 1) for size in shape) * dtype.itemsize > sys.maxsize:
        raise NotNpy("the header's shape is beyond what an array can have")
    count = prod(shape)
    if count * dtype.itemsize != len(data) - start:
        raise NotNpy(
            f"the header's shape {shape} needs {count * dtype.itemsize} bytes, and {len(data) - start} follow"
        )
    flat = numpy.frombuffer(data, dtype=sent, count=count, offset=start)
    return flat.reshape(shape, order="F" if fortran else "C").astype(dtype, order="C", copy=True)


def write_npy(array: "numpy.ndarray[Any, Any]") -> bytes:
    """Return `array` in NPY format, its last axis fastest, as readers without NumPy want it."""
    out = BytesIO()
    numpy.lib.format.write_array(out, numpy.asarray(array, order="C"), allow_pickle=False)
    return out.getvalue()


def _read_header(data: bytes) -> tuple[str, bool, tuple[int, ...], int]:
    if data[:6] != b"\x93NUMPY" or len(data) < 12 or data[6] not in (1, 2, 3):
        raise NotNpy("the bytes do not start as an NPY file does")
    width = 2 if data[6] == 1 else 4
    start = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    if start > min(len(data), MAX_HEADER):
        raise NotNpy("the NPY header is truncated or too long")
    try:
        header = ast.literal_eval(data[8 + width : start].decode("utf-8").strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as exc:
        raise NotNpy("the NPY header cannot be read") from exc
    match header:
        case {"descr": str(descr), "fortran_order": bool(fortran), "shape": tuple(shape)} if len(header) == 3:
            sizes = all(type(size) is int and size >= 0 for size in shape)
            if sizes and len(shape) <= MAX_DIMENSIONS and _DESCR.fullmatch(descr):
                return descr, fortran, shape, start
    raise NotNpy("the NPY header is not one of a plain array")

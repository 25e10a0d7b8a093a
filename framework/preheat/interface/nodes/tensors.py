"""NumPy arrays: lists in JSON, application/x-npy raw. Imported only where a Tensor is used."""

from typing import Any

import numpy

from preheat.interface.media import NPY, Tensor
from preheat.interface.nodes.node import Misfit, Node, Part, Reading
from preheat.interface.nodes.words import expected, returned
from preheat.interface.npy import NotNpy, read_npy
from preheat.interface.place import Place

DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)
Array = numpy.ndarray[Any, Any]


def tensor(spec: Tensor) -> Node:
    """Compile an array. Raises ValueError for a dtype or a shape that makes no sense."""
    if spec.dtype not in DTYPES:
        raise ValueError(f"{spec.dtype!r} is no dtype of a tensor; choose one of {', '.join(DTYPES)}")
    if not all(size is None or (type(size) is int and size >= 0) for size in spec.shape):
        raise ValueError(f"{spec.shape!r} is no shape; write sizes, and None for any size")
    dtype = numpy.dtype(spec.dtype)

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is not Part:
            return _read_lists(value, place, reading, dtype, spec.shape)
        try:
            array = read_npy(value.data, dtype)
        except NotNpy as exc:
            return reading.wrong(place, str(exc))
        if not fits(array.shape, spec.shape):
            return reading.wrong(place, f"expected the shape {shown(spec.shape)}, got {shown(array.shape)}")
        if dtype.kind == "f" and not numpy.isfinite(array).all():
            return reading.wrong(place, "expected finite numbers, got NaN or infinity")
        return array

    def write(value: Any, place: Place) -> Any:
        array = check_array(value, place, dtype, spec.shape)
        return numpy.ascontiguousarray(array) if spec.shape else array.item()

    return Node(
        name=f"Tensor({spec.dtype!r}, {shown(spec.shape)})",
        schema=_schema(spec, dtype),
        read=read,
        write=write,
        reads=frozenset({"array"}) if spec.shape else _scalar_reads(dtype),
        matches=lambda value: isinstance(value, numpy.ndarray),
        media=(NPY,),
    )


def check_array(value: Any, place: Place, dtype: "numpy.dtype[Any]", shape: tuple[int | None, ...]) -> Array:
    """Return `value` if it is an array of that dtype and shape without NaN and infinity. Raises Misfit."""
    if not isinstance(value, numpy.ndarray):
        raise Misfit(place, returned(f"a numpy.ndarray of {dtype}", value))
    if value.dtype != dtype:
        raise Misfit(
            place, f"expected the dtype {dtype}, got {value.dtype}; .astype({str(dtype)!r}) makes it one"
        )
    if not fits(value.shape, shape):
        raise Misfit(place, f"expected the shape {shown(shape)}, got {shown(value.shape)}")
    if dtype.kind == "f" and not numpy.isfinite(value).all():
        index = tuple(int(axis[0]) for axis in numpy.nonzero(~numpy.isfinite(value)))
        for key in index:
            place = (place, key)
        raise Misfit(place, f"expected a finite number, got {value[index]}")
    return value


def fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Tell whether an array's shape is the wanted one, where None fits any size."""
    return len(shape) == len(wanted) and all(
        want is None or size == want for size, want in zip(shape, wanted, strict=True)
    )


def shown(shape: tuple[int | None, ...]) -> str:
    """Write a shape as (any, 384)."""
    return f"({', '.join('any' if size is None else str(size) for size in shape)})"


def _read_lists(
    value: Any, place: Place, reading: Reading, dtype: "numpy.dtype[Any]", shape: tuple[int | None, ...]
) -> Any:
    before = len(reading.mistakes)
    sizes: list[int | None] = list(shape)
    _check_lists(value, place, reading, dtype, sizes, 0)
    if len(reading.mistakes) != before:
        return None
    if dtype.kind != "f":
        array = numpy.array(value, dtype=dtype)
    else:
        try:
            with numpy.errstate(over="ignore"):
                array = numpy.array(value, dtype=numpy.float64).astype(dtype)
        except OverflowError:
            return reading.wrong(place, f"expected numbers within the range of {dtype}")
        if not numpy.isfinite(array).all():
            index = numpy.argwhere(~numpy.isfinite(array))[0].tolist()
            for key in index:
                place = (place, key)
            return reading.wrong(place, f"expected a finite number within the range of {dtype}")
    # Without entries on an outer axis, lists do not show the inner sizes.
    return array if array.ndim == len(shape) else array.reshape([size or 0 for size in sizes])


def _check_lists(
    value: Any, place: Place, reading: Reading, dtype: "numpy.dtype[Any]", sizes: list[int | None], axis: int
) -> None:
    if axis == len(sizes):
        _check_row([value], place, reading, dtype, scalar=True)
        return
    if type(value) is not list:
        reading.wrong(place, expected("an array", value))
        return
    wanted = sizes[axis]
    if wanted is None:
        sizes[axis] = len(value)
    elif len(value) != wanted:
        reading.wrong(place, f"expected an array of {wanted}, got one of {len(value)}")
        return
    if axis == len(sizes) - 1:
        _check_row(value, place, reading, dtype, scalar=False)
        return
    for index, entry in enumerate(value):
        _check_lists(entry, (place, index), reading, dtype, sizes, axis + 1)


def _check_row(
    row: list[Any], place: Place, reading: Reading, dtype: "numpy.dtype[Any]", *, scalar: bool
) -> None:
    allowed = {bool} if dtype.kind == "b" else {int, float}
    what = "true or false" if dtype.kind == "b" else "a number" if dtype.kind == "f" else "an integer"
    if not set(map(type, row)) <= allowed:
        index = next(index for index, entry in enumerate(row) if type(entry) not in allowed)
        reading.wrong(place if scalar else (place, index), expected(what, row[index]))
        return
    if dtype.kind not in "iu" or not row:
        return
    bounds = numpy.iinfo(dtype)
    for index, entry in enumerate(row) if _suspicious(row, bounds) else ():
        here = place if scalar else (place, index)
        if type(entry) is float and not entry.is_integer():
            reading.wrong(here, expected(what, entry))
        elif not bounds.min <= entry <= bounds.max:
            reading.wrong(here, f"expected {what} within the range of {dtype}, got {str(entry)[:30]}")


def _suspicious(row: list[Any], bounds: "numpy.iinfo[Any]") -> bool:
    return float in set(map(type, row)) or min(row) < bounds.min or max(row) > bounds.max


def _scalar_reads(dtype: "numpy.dtype[Any]") -> frozenset[str]:
    return frozenset({"boolean" if dtype.kind == "b" else "number" if dtype.kind == "f" else "integer"})


def _rounded_away(dtype: "numpy.dtype[Any]") -> dict[str, float]:
    """Return the bounds beyond which a double becomes infinite in `dtype` (IEEE 754 4.3.1: half a step)."""
    if dtype.itemsize == 8:
        return {}
    info = numpy.finfo(dtype)
    bound = (2 - 2.0 ** -(info.nmant + 1)) * 2.0 ** (info.maxexp - 1)
    return {"exclusiveMinimum": -bound, "exclusiveMaximum": bound}


def _schema(spec: Tensor, dtype: "numpy.dtype[Any]") -> dict[str, Any]:
    schema: dict[str, Any]
    if dtype.kind == "b":
        schema = {"type": "boolean"}
    elif dtype.kind == "f":
        schema = {"type": "number"} | _rounded_away(dtype)
    else:
        bounds = numpy.iinfo(dtype)
        schema = {"type": "integer", "minimum": int(bounds.min), "maximum": int(bounds.max)}
    for size in reversed(spec.shape):
        schema = {"type": "array", "items": schema}
        if size is not None:
            schema |= {"minItems": size, "maxItems": size}
    # An annotation, ignored by validators (JSON Schema 2020-12, 6.5); the Open Inference Protocol needs it.
    return schema | {"x-preheat-tensor": {"dtype": spec.dtype, "shape": list(spec.shape)}}

"""The values that need no JSON: files, their paths, bytes and arrays. NumPy only where a caller uses it."""

from base64 import b64encode
from pathlib import Path
from typing import Any, TypeGuard

from preheat.errors import BadInput
from preheat.interface.media import OCTETS, File, Tensor

Raw = File | Path | bytes


def is_array(value: Any) -> bool:
    """Tell whether `value` is an array of at least one dimension, NumPy's or what NumPy can take."""
    return hasattr(value, "__array__") and getattr(value, "ndim", 0) > 0


def is_raw(value: Any) -> TypeGuard[Raw]:
    """Tell whether `value` has bytes of its own."""
    return isinstance(value, File | Path | bytes)


def media_type_of(value: Raw) -> str:
    """Return the media type of `value`: a path's by its suffix."""
    if isinstance(value, Path):
        import mimetypes  # it reads the system's tables from disk

        return mimetypes.guess_type(value.name)[0] or OCTETS
    return value.media_type if isinstance(value, File) else OCTETS


def name_of(value: Raw) -> str | None:
    """Return the file name that goes with `value`."""
    return None if isinstance(value, bytes) else value.name


def raw_as_json(value: Any) -> Any:
    """Return the JSON value of what `json` cannot write itself. Raises TypeError."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Path):
        return raw_as_json(_read(value))
    if isinstance(value, File):
        data = b64encode(value.data).decode()
        return {"data": data, "media_type": value.media_type, "name": value.name}
    if hasattr(value, "__array__"):
        import numpy

        return numpy.asarray(value).tolist()
    raise TypeError(f"a {type(value).__qualname__} is no JSON value")


def misfit_of_array(value: Any, spec: Tensor) -> str | None:
    """Say why the array `value` is not what `spec` asks for, or None where it is."""
    import numpy

    from preheat.interface.nodes.node import Misfit
    from preheat.interface.nodes.tensors import check_array

    try:
        array = numpy.asarray(value)
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        check_array(native, None, numpy.dtype(spec.dtype), spec.shape)
    except Misfit as misfit:
        return misfit.detail
    return None


def npy_of(value: Any) -> bytes:
    """Return an array in NPY format."""
    import numpy

    from preheat.interface.npy import write_npy

    return write_npy(numpy.asarray(value))


def _read(path: Path) -> File:
    try:
        return File.from_path(path)
    except OSError as exc:
        raise BadInput(f"{path} cannot be read: {exc.strerror}.") from exc

"""A model with fewer bits, by the user's onnxruntime.

In: "model", "out" (a folder that exists), "kind", "vnni" (whether the processor sums bytes exactly) and
"calibration", the .npz file that static quantisation reads. Out: {}, or {"problem", "hint"}.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Any

MODEL, DATA = "model.onnx", "model.data"
SMALLEST = 1024
PROTOBUF_LIMIT = 2**31 - 1


def run(document: dict[str, Any]) -> dict[str, Any]:
    """Write the model with fewer bits; static needs the calibration inputs."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static

    model, path, kind = document["model"], Path(document["out"], MODEL), document["kind"]
    # Without VNNI, products of unsigned and signed bytes saturate at 16 bits.
    reduced = not document["vnni"]
    if kind in ("int8", "int8-per-channel"):
        quantize_dynamic(
            model,
            path,
            weight_type=QuantType.QInt8,
            per_channel=kind == "int8-per-channel",
            reduce_range=reduced,
            use_external_data_format=True,
        )
    elif kind == "static":
        reader = _reader(model, Path(document["calibration"]))
        if isinstance(reader, dict):
            return reader
        quantize_static(
            model,
            path,
            reader,
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            reduce_range=reduced,
            use_external_data_format=True,
        )
    elif kind == "float16":
        _float16(model, path)
    else:
        _weights_only(model, path, bits=4 if kind == "int4" else 8)
    return {}


def _float16(model: str, path: Path) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    # Shape inference would write the model into one message, which protobuf limits to 2 GB.
    large = sum(file.stat().st_size for file in Path(model).parent.iterdir()) > PROTOBUF_LIMIT
    made = convert_float_to_float16(onnx.load(model), keep_io_types=True, disable_shape_infer=large)
    _save(made, path)


def _weights_only(model: str, path: Path, *, bits: int) -> None:
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(
        onnx.load(model), bits=bits, block_size=32, is_symmetric=True, accuracy_level=4
    )
    quantizer.process()
    _save(quantizer.model.model, path)


def _save(model: Any, path: Path) -> None:
    import onnx

    onnx.save(model, path, save_as_external_data=True, location=DATA, size_threshold=SMALLEST)


def _reader(model: str, file: Path) -> Any:
    """Return the rows of the calibration inputs, one a time, or a problem with them."""
    from onnxruntime.quantization import CalibrationDataReader

    inputs = _inputs(model)
    try:
        arrays = _arrays(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as exc:
        return _problem(f"{file} is no .npz file of numbers: {exc}", inputs)
    wrong = _wrong(arrays, inputs)
    if wrong:
        return _problem(f"The calibration inputs in {file.name} do not fit the model: {wrong}", inputs)
    rows = min(len(array) for array in arrays.values())
    size = max([shape[0] for _, shape in inputs.values() if isinstance(shape[0], int)], default=1)

    class Rows(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._next = 0

        def get_next(self) -> Any:
            start, self._next = self._next, self._next + size
            if self._next > rows:
                return None
            return {name: array[start : self._next] for name, array in arrays.items()}

    return Rows()


def _arrays(file: Path) -> dict[str, Any]:
    """Return the arrays in an .npz file. Raises ValueError for a single one, which .npy files hold."""
    import numpy as np

    with file.open("rb") as opened:
        archive = np.load(opened, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise ValueError("it holds one array without a name, as numpy.save writes.")
        return {name: archive[name] for name in archive.files}


def _inputs(model: str) -> dict[str, tuple[str, list[Any]]]:
    """Return the type and shape of each input; numbers are fixed sizes, all else is free."""
    import onnx

    graph = onnx.load(model, load_external_data=False).graph
    given = {tensor.name for tensor in graph.initializer}
    found = {}
    for value in graph.input:
        if value.name not in given:
            tensor = value.type.tensor_type
            kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
            shape = [axis.dim_value or axis.dim_param or None for axis in tensor.shape.dim]
            found[value.name] = (kind, shape)
    return found


def _wrong(arrays: dict[str, Any], inputs: dict[str, tuple[str, list[Any]]]) -> str | None:
    """Return what is wrong with calibration inputs, each an array whose rows are samples."""
    import numpy as np

    missing, unknown = sorted(set(inputs) - set(arrays)), sorted(set(arrays) - set(inputs))
    if missing or unknown:
        parts = [
            f"{' and '.join(names)} {what}"
            for names, what in ((missing, "missing"), (unknown, "unknown"))
            if names
        ]
        return f"{', '.join(parts)}."
    for name, (kind, shape) in inputs.items():
        array = arrays[name]
        if not shape:
            return f"{name} has no first axis in the model, and calibration goes row by row."
        if array.dtype.name != kind:
            return f"{name} is {array.dtype.name} where the model takes {kind}."
        fits = len(array.shape) == len(shape) and all(
            not isinstance(wanted, int) or size == wanted
            for size, wanted in zip(array.shape[1:], shape[1:], strict=True)
        )
        if not fits:
            return f"{name} has the shape {list(array.shape)} where the model takes {shape}."
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return f"{name} holds values that are not finite."
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        return f"the arrays have different numbers of rows: {lengths}."
    fixed = max([shape[0] for _, shape in inputs.values() if isinstance(shape[0], int)], default=1)
    if min(lengths.values()) < fixed:
        return f"there are {min(lengths.values())} rows, and the model takes {fixed} at once."
    return None


def _problem(message: str, inputs: dict[str, tuple[str, list[Any]]]) -> dict[str, Any]:
    arrays = ", ".join(f"{name}={name}_rows" for name in inputs)
    shapes = "; ".join(f"{name}: {kind} {shape}" for name, (kind, shape) in inputs.items())
    return {
        "problem": message,
        "hint": f"numpy.savez('calibration.npz', {arrays})  # {shapes}; the first axis counts samples",
    }

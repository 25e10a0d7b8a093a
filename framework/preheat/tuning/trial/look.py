"""What an ONNX file is, read with the user's onnxruntime and the onnx package.

In: "model". Out: {"inputs": [{"name", "type", "shape"}], "outputs", "opset", "domains", "nodes", "bytes",
"external": [files beside it], "version"}, or {"problem", "hint"} where no session could be made of it.
"""

import re
from pathlib import Path
from typing import Any

BUILT_IN = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")


def run(document: dict[str, Any]) -> dict[str, Any]:
    """Look at the graph, then let onnxruntime make a session of it."""
    import onnx
    import onnxruntime

    path = Path(document["model"])
    name = path.name
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as exc:  # noqa: BLE001 - protobuf raises its own kinds, none of which says what the file is
        return _problem(f"{name} is no ONNX model: {exc}.", "Export the model again: it may be cut off.")
    if not model.graph.node:
        return _problem(f"{name} is no ONNX model: it has no operator.", "Export the model again.")
    external = _external(model)
    for file, needed in external.items():
        problem = _missing(path.with_name(file), name, needed)
        if problem:
            return problem
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # noqa: BLE001 - whatever onnxruntime refuses is told to the user
        return _refused(name, str(exc), model, onnxruntime.__version__)
    files = [path, *(path.with_name(file) for file in external)]
    return {
        "inputs": [_described(value) for value in session.get_inputs()],
        "outputs": [_described(value) for value in session.get_outputs()],
        "opset": max(
            (entry.version for entry in model.opset_import if entry.domain in BUILT_IN[:2]), default=0
        ),
        "nodes": len(model.graph.node),
        "bytes": sum(file.stat().st_size for file in files),
        "external": sorted(external),
        "version": onnxruntime.__version__,
    }


def _described(value: Any) -> dict[str, Any]:
    return {"name": value.name, "type": value.type, "shape": list(value.shape)}


def _external(model: Any) -> dict[str, int]:
    """Return the files that hold weights outside the model, and how many bytes each must have."""
    needed: dict[str, int] = {}
    for tensor in _tensors(model.graph):
        if tensor.data_location == 1:
            keys = {entry.key: entry.value for entry in tensor.external_data}
            end = int(keys.get("offset", 0)) + int(keys.get("length", 0))
            needed[keys["location"]] = max(end, needed.get(keys["location"], 0))
    return needed


def _tensors(graph: Any) -> Any:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)


def _missing(file: Path, name: str, needed: int) -> dict[str, Any] | None:
    if not file.is_file():
        return _problem(
            f"{name} keeps its weights in {file.name}, which is not beside it.",
            'Put both into one folder and name the folder as the source: source = "file:model" '
            f"(with model/{name} and model/{file.name}).",
        )
    size = file.stat().st_size
    if size < needed:
        return _problem(
            f"{file.name}, which holds the weights of {name}, has {size} bytes where {needed} are needed.",
            "Copy it again: it is cut off.",
        )
    return None


def _refused(name: str, text: str, model: Any, version: str) -> dict[str, Any]:
    """Say in our words why onnxruntime makes no session of `model`."""
    unknown = sorted(
        {f"{node.domain}::{node.op_type}" for node in model.graph.node if node.domain not in BUILT_IN}
    )
    if unknown:
        return _problem(
            f"{name} uses operators that onnxruntime {version} does not have: {', '.join(unknown[:5])}.",
            "preheat tune cannot load libraries of custom operators. Export the model with standard ones.",
        )
    if re.search(r"under development|IR version|Unsupported model", text):
        opsets = ", ".join(f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in model.opset_import)
        return _problem(
            f"{name} is newer than onnxruntime {version} (IR {model.ir_version}, opset {opsets}): {text}",
            "Export it with an older opset, or allow a newer onnxruntime in `requirements`.",
        )
    return _problem(f"onnxruntime {version} makes no session of {name}: {text}", None)


def _problem(message: str, hint: str | None) -> dict[str, Any]:
    return {"problem": message, "hint": hint}

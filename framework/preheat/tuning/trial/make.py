"""One graph from another, by the user's onnxruntime and by what rewrites models.

In: "model", "out" (a folder that exists) and "step" with its arguments:
optimise {"level", "packed"}   model.onnx and model.data (prepacked.onnx too where "packed")
ort      {"level"}             model.ort
fuse, slim                     model.onnx and its weights, of other operators
Out: {}.
"""

from pathlib import Path
from typing import Any

MODEL, DATA, PREPACKED, ORT = "model.onnx", "model.data", "prepacked.onnx", "model.ort"
SMALLEST = 1024
"""Initializers below this many bytes stay in the graph: shapes must be known before anything is mapped."""


def run(document: dict[str, Any]) -> dict[str, Any]:
    """Take the step that `document` describes."""
    model, out = document["model"], Path(document["out"])
    match document["step"]:
        case "optimise":
            optimise(model, out, document["level"], packed=document["packed"])
        case "ort":
            as_ort(model, out, document["level"])
        case "fuse":
            fuse(model, out)
        case "slim":
            slim(model, out)
        case step:
            raise ValueError(f"There is no step {step}.")
    return {}


def optimise(model: str, out: Path, level: str, *, packed: bool) -> None:
    """Write the graph as onnxruntime optimises it, its weights beside it, aligned to pages."""
    import onnx

    options = _options(level, out / MODEL)
    prefix = "session.optimized_model_external_initializers"
    options.add_session_config_entry(f"{prefix}_file_name", DATA)
    options.add_session_config_entry(f"{prefix}_min_size_in_bytes", str(SMALLEST))
    if packed:
        options.add_session_config_entry("session.save_external_prepacked_constant_initializers", "1")
    else:
        options.add_session_config_entry("session.disable_prepacking", "1")
    _session(model, options)
    graph = onnx.load(out / MODEL, load_external_data=False)
    _drop_unused_domains(graph)
    if packed:
        onnx.save(graph, out / PREPACKED)
        _drop_packed(graph)
    onnx.save(graph, out / MODEL)
    (out / DATA).touch()  # where every weight is smaller than SMALLEST, nobody has made it


def as_ort(model: str, out: Path, level: str) -> None:
    """Write the graph in onnxruntime's own format."""
    options = _options(level, out / ORT)
    options.add_session_config_entry("session.save_model_format", "ORT")
    _session(model, options)


def fuse(model: str, out: Path) -> None:
    """Write the model with the fused operators that onnxruntime.transformers finds."""
    from onnxruntime.transformers.optimizer import optimize_model

    made = optimize_model(model, model_type="bert", opt_level=0, use_gpu=False)
    made.save_model_to_file(str(out / MODEL), use_external_data_format=True)


def slim(model: str, out: Path) -> None:
    """Write the model as onnxslim simplifies it."""
    import onnx
    import onnxslim

    _save(onnxslim.slim(onnx.load(model)), out / MODEL)


def _options(level: str, file: Path) -> Any:
    import onnxruntime

    levels = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = {
        "disable": levels.ORT_DISABLE_ALL,
        "basic": levels.ORT_ENABLE_BASIC,
        "extended": levels.ORT_ENABLE_EXTENDED,
    }[level]
    options.optimized_model_filepath = str(file)
    return options


def _session(model: str, options: Any) -> None:
    import onnxruntime

    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _drop_unused_domains(graph: Any) -> None:
    """Forget the domains that no node uses: onnxruntime names all it knows, which an older one refuses."""
    used = {"", "ai.onnx", *_domains(graph.graph)}
    used |= {node.domain for function in graph.functions for node in function.node}
    kept = [entry for entry in graph.opset_import if entry.domain in used]
    del graph.opset_import[:]
    graph.opset_import.extend(kept)


def _domains(graph: Any) -> set[str]:
    found = {node.domain for node in graph.node}
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                found |= _domains(inner)
    return found


def _drop_packed(graph: Any) -> None:
    """Leave only where the weights are themselves, and not where they are packed for this machine."""
    for tensor in graph.graph.initializer:
        kept = [entry for entry in tensor.external_data if not entry.key.startswith("prepacked")]
        del tensor.external_data[:]
        tensor.external_data.extend(kept)


def _save(model: Any, path: Path) -> None:
    import onnx

    onnx.save(model, path, save_as_external_data=True, location=DATA, size_threshold=SMALLEST)

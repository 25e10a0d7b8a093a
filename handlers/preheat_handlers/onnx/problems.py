"""Why a model does not load, in terms of what its owner can change, or does not run with an input.

Reads the model's file again, after a failure to load.
"""

import re
from pathlib import Path

from preheat.errors import HandlerError
from preheat_handlers.onnx.graph import read_graph, read_needs

STANDARD_DOMAINS = frozenset(
    {"", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "com.microsoft", "com.microsoft.nchwc"}
)
_LATEST = re.compile(r"[Oo]fficial support for domain (\S+) is till opset (\d+)")

_NO_MEMORY = re.compile("allocate memory|bad_alloc|out of memory", re.IGNORECASE)


def explained(model: Path, error: Exception) -> HandlerError:
    """Return the reason for which `model` does not load; `error` is what onnxruntime raised."""
    graph, needs = read_graph(model), read_needs(model)
    for name, size in needs.files.items():
        beside = model.parent / name
        found = beside.stat().st_size if beside.is_file() else None
        if found is None or found < size:
            has = "is not there" if found is None else f"has {found} bytes and needs {size}"
            return HandlerError(
                f"{model.name} keeps its weights in {name}, which {has}.",
                hint=f'[weights.model]\nsource = "file:model"  # a folder with {model.name} and {name}',
            )
    own = sorted((domain, name) for domain, name in needs.operators if domain not in STANDARD_DOMAINS)
    if own:
        domain, name = own[0]
        return HandlerError(
            f"{model.name} has the operator {name} of {domain!r}, which onnxruntime does not know.",
            hint="Register its library on SessionOptions in a handler of your own, or export without it.",
        )
    if match := _LATEST.search(str(error)):
        return HandlerError(
            f"{model.name} has opset {graph.opsets.get('')}, and this onnxruntime reads up to {match[2]}.",
            hint=f"Require a newer onnxruntime, or export with opset_version={match[2]}.",
        )
    return HandlerError(f"{model.name} does not load: {_first_line(error)}")


def refusal(error: Exception) -> str | None:
    """Return what of an input made a run fail with `error`; None where something else did.

    Operators raise InvalidArgument for a value that they do not take. Shapes that do not fit together end a
    check in one of them, as Fail or RuntimeException by the version, and so does a memory that is full.
    """
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    text = str(error)
    if isinstance(error, state.Fail | state.RuntimeException):
        if " while running " not in text or _NO_MEMORY.search(text):
            return None
    elif not isinstance(error, state.InvalidArgument):
        return None
    why = text.partition("\n")[0].rpartition("Status Message: ")[2].rpartition(" was false. ")[2]
    return why[:300]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:500]

"""Whether a bundle works: its handler runs its examples in the target's Python, in a process of its own.

What that process imported is checked against the layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.bundle.apart import VerifyFailed, run_apart
from preheat.bundle.interpreter import Interpreter
from preheat.bundle.model import Layer, LayerName
from preheat.project.model import Project

SCRIPT = "preheat/runtime/verify.py"
SPARE_S = 10
"""What starting the interpreter and teardown may take beyond the project's own limits."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a run found out: the handler's contract document, and how long each phase took in ms."""

    contract: Mapping[str, Any]
    phases: tuple[tuple[str, float], ...]


def verify(
    project: Project, layers: Mapping[LayerName, Layer], interpreter: Interpreter, *, tmp: Path
) -> Verified:
    """Run the bundle of `layers` and return its contract. `tmp` is an empty folder. Raises VerifyFailed."""
    limit_s = project.limits.setup_s + project.limits.timeout_s + SPARE_S
    answer = run_apart(project, layers, interpreter, layers["code"].path / SCRIPT, tmp=tmp, limit_s=limit_s)
    _check_imported(answer["imported"], layers, interpreter)
    return Verified(answer["contract"], tuple((phase["name"], phase["ms"]) for phase in answer["phases"]))


def _check_imported(imported: list[str], layers: Mapping[LayerName, Layer], interpreter: Interpreter) -> None:
    """See that every module came from the layers or from the interpreter's own library."""
    library = interpreter.path.resolve().parent.parent
    allowed = [library, *(layer.path.resolve() for layer in layers.values())]
    for file in imported:
        path = Path(file).resolve()
        stray = "site-packages" in path.relative_to(library).parts if path.is_relative_to(library) else False
        if stray or not any(path.is_relative_to(folder) for folder in allowed):
            raise VerifyFailed(
                "verification", f"The handler imported {file}, which is not in the bundle.", ""
            )

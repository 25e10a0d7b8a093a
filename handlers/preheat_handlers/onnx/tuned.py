"""A folder that `preheat tune` wrote: how its model loads and runs fastest, where that was measured, and what
holds anywhere else. Reads `tuned.json` and the sizes of the files beside it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from preheat.errors import HandlerError

MANIFEST = "tuned.json"
MODEL = "model.onnx"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one session is made of `file`: attributes of SessionOptions, and configuration entries.

    `tolerance` bounds how far its answers may be from those before it, by the largest number of an answer.
    """

    file: str = MODEL
    options: Mapping[str, Any] = field(default_factory=dict)
    entries: Mapping[str, str] = field(default_factory=dict)
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What a recipe was measured with, as far as it decides whether the recipe holds."""

    version: str
    architecture: str
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tuned:
    """One manifest. `then` is the session that takes over behind the first answer."""

    folder: Path
    measured_with: Machine
    load: Recipe
    then: Recipe | None
    safe: Recipe

    def unfit(self, here: Machine) -> str | None:
        """Say why the recipe was not measured for `here`; None where it was."""
        then = self.measured_with
        if then.version != here.version:
            return f"it was tuned with onnxruntime {then.version}, and this is {here.version}"
        if then.architecture != here.architecture:
            return f"it was tuned on {then.architecture}, and this is {here.architecture}"
        if then.features != here.features:
            missing, further = then.features - here.features, here.features - then.features
            named = [f"without {', '.join(sorted(missing))}"] if missing else []
            named += [f"with {', '.join(sorted(further))}"] if further else []
            return f"it was tuned on another processor; this is one {' and '.join(named)}"
        return None


def read_tuned(folder: Path) -> Tuned:
    """Read the manifest in `folder`. Raises HandlerError where it, or a file it speaks of, is not whole."""
    again = "preheat tune --write"
    try:
        document = json.loads((folder / MANIFEST).read_bytes())
    except ValueError as exc:
        raise HandlerError(f"{folder.name}/{MANIFEST} is no JSON: {exc}.", hint=again) from exc
    if document.get("format") != FORMAT:
        raise HandlerError(
            f"{folder.name}/{MANIFEST} has format {document.get('format')!r}; this preheat reads {FORMAT}.",
            hint=again,
        )
    for name, size in document.get("files", {}).items():
        _check_size(folder, name, size, again)
    try:
        return Tuned(
            folder=folder,
            measured_with=_machine(document),
            load=_recipe(document["load"]),
            then=_recipe(document["then"]) if document["then"] is not None else None,
            safe=_recipe(document["safe"]),
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise HandlerError(f"{folder.name}/{MANIFEST} is incomplete: {exc!r}.", hint=again) from exc


def _check_size(folder: Path, name: str, size: int, again: str) -> None:
    try:
        found = (folder / name).stat().st_size
    except FileNotFoundError as exc:
        raise HandlerError(f"{folder.name}/{name} is missing.", hint=again) from exc
    if found != size:
        raise HandlerError(
            f"{folder.name}/{name} has {found} bytes, and {MANIFEST} says {size}: it was cut off or edited.",
            hint=again,
        )


def _machine(document: Mapping[str, Any]) -> Machine:
    cpu = document["cpu"]
    return Machine(document["runtime"]["version"], cpu["machine"], frozenset(cpu["features"]))


def _recipe(document: Mapping[str, Any]) -> Recipe:
    entries = {key: str(value) for key, value in document.get("entries", {}).items()}
    return Recipe(
        file=document.get("file", MODEL),
        options=dict(document.get("options", {})),
        entries=entries,
        tolerance=float(document.get("tolerance", 0.0)),
    )

"""`tuned.json`: what a tuned folder is, for the loader that opens it and for the next `preheat tune`.

{"format": 1, "weights": NAME, "source_sha256", "origin": {"source", "sha256"}, "objective", "variant",
 "runtime": {"name": "onnxruntime", "version"}, "cpu": {"machine", "features": [...]},
 "load": {"file", "options": {...}, "entries": {...}}, "safe": the same,
 "then": null or the same and "tolerance",
 "measured": {"rounds", "threads", "default": {...}, "chosen": {...}},
 "deviation": {"tolerance", "identical", "max_abs", "max_rel", "cosine", "swap": null or the same},
 "files": {name: bytes}}

Names of files are relative to the folder. `safe` holds for any onnxruntime that the project allows and any
processor, also one that saturates sums of bytes. `then` takes over where its answer is no farther than its
`tolerance` from that of `load`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from preheat.errors import TuningError
from preheat.project.model import Weights
from preheat.tuning.choice import EXACT, Deviation, Outcome
from preheat.tuning.variants import Settings

FORMAT = 1
FILE = "tuned.json"
FOLDER = "tuned"


def manifest(
    origin: Weights,
    *,
    source_sha256: str,
    objective: str,
    tolerance: float,
    version: str,
    cpu: Mapping[str, Any],
    rounds: int,
    threads: int,
    default: Outcome,
    chosen: Outcome,
) -> dict[str, Any]:
    """Return the manifest of a tuned folder as JSON values."""
    variant = chosen.variant
    return {
        "format": FORMAT,
        "weights": origin.name,
        "source_sha256": source_sha256,
        "origin": {"source": origin.source, "sha256": origin.sha256},
        "objective": objective,
        "variant": variant.name,
        "runtime": {"name": "onnxruntime", "version": version},
        "cpu": dict(cpu),
        "load": variant.load.document(),
        "then": {**variant.then.document(), "tolerance": EXACT if tolerance else 0.0}
        if variant.then
        else None,
        "safe": Settings(threads=variant.load.threads, exact_bytes=variant.graph.of_bytes).document(),
        "measured": {
            "rounds": rounds,
            "threads": threads,
            "default": figures_document(default),
            "chosen": figures_document(chosen),
        },
        "deviation": {
            "tolerance": tolerance,
            **deviation_document(chosen.deviation),
            "swap": deviation_document(chosen.swap) if chosen.swap else None,
        },
    }


def figures_document(outcome: Outcome) -> dict[str, Any]:
    """Return what a variant took: to its first answer, then for each, and how much memory and space."""
    return {
        "load_ms": round(outcome.load.load_ms, 2),
        "first_ms": round(outcome.load.first_ms, 2),
        "steady_ms": round(outcome.settled.steady_ms, 3),
        "rss_bytes": outcome.settled.rss_bytes,
        "bytes": outcome.bytes,
    }


def deviation_document(deviation: Deviation) -> dict[str, Any]:
    """Return a deviation as JSON values, which know no infinity."""
    values = asdict(deviation)
    return {name: None if value == float("inf") else value for name, value in values.items()}


def origin_of(entry: Weights, folder: Path) -> Weights:
    """Return `entry` as it was before it was tuned, if `folder`, where it is, is a tuned one."""
    path = folder / FILE
    if not path.is_file():
        return entry
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        origin = document["origin"]
        return replace(entry, source=str(origin["source"]), sha256=origin["sha256"])
    except (ValueError, KeyError, TypeError) as exc:
        relative = os.path.join(FOLDER, entry.name, FILE)  # noqa: PTH118 - for a reader
        raise TuningError(
            f"{relative} does not say what the model was before it was tuned: {exc!r}.",
            hint=f"Set the source of [weights.{entry.name}] to the original model again.",
        ) from exc

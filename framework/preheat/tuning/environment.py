"""The packages that trials run with: the user's own pins, and beside them what rewrites models.

The bundle is never touched: what is added lies in a layer of its own in the cache, and its lock too.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.bundle.digest import File
from preheat.bundle.layers import materialise
from preheat.bundle.lock import Pin, lock
from preheat.bundle.model import Target
from preheat.bundle.packages import fetch, requirement_name
from preheat.bundle.uv import Uv
from preheat.errors import BundleError, TuningError
from preheat.tuning.variants import Quantisation

ONNX = "onnx>=1.16"
ONNX_IR = "onnx-ir"
ONNXSLIM = "onnxslim>=0.1.40"
WEIGHTS_ONLY: frozenset[Quantisation] = frozenset({"int4", "int8-weights"})


def extras(quantise: Sequence[Quantisation], *, fuse: bool) -> tuple[str, ...]:
    """Return the packages that making the variants takes beside the user's own."""
    wanted = [ONNX]
    if WEIGHTS_ONLY & set(quantise):
        wanted.append(ONNX_IR)
    if fuse:
        wanted.append(ONNXSLIM)
    return tuple(wanted)


def make_environment(
    pins: Sequence[Pin], wanted: Sequence[str], target: Target, *, uv: Uv, cache: Cache
) -> Path:
    """Return a folder to import from: `pins` as they are, whole, with `wanted` beside them."""
    names = {requirement_name(pin.requirement) for pin in pins}
    if "onnxruntime" not in names:
        raise TuningError(
            "The project does not require onnxruntime, and preheat tune tunes for the one it runs with.",
            hint='requirements = ["onnxruntime>=1.20"]   # in preheat.toml',
        )
    asked = [
        *(pin.requirement for pin in pins),
        *(line for line in wanted if requirement_name(line) not in names),
    ]
    folder = cache.memo("tuning", json.dumps([asked, target.platform, target.python]))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        locked = lock(asked, target, root=folder, uv=uv, cache=cache, upgrade=False)
    except BundleError as exc:
        raise TuningError(
            f"{', '.join(wanted)} cannot be had beside the packages of the project: {exc.message}",
            hint=exc.hint,
        ) from exc
    files: dict[str, File] = {}
    for package in fetch(locked, target, uv=uv, cache=cache):
        files.update(package.files)
    return materialise(cache, "dependencies", files).path

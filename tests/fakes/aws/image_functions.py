"""Functions of container images in MiniStack: our layers out of its ECR, under Lambda's real emulator.

What the base brings is this machine's, its Python above all; `tests/functional/images` runs a whole image.
Like `execution`, this is run by MiniStack's own Python, and imports nothing of the project.
"""

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ministack.services import ecr
from tests.fakes.lambda_emulator import Emulator, Unpacked

ROOT, CODE = "opt/preheat", "opt/preheat/code"
OURS = "preheat: "
"""How a layer of ours is called in the history of an image."""


def image_emulator(config: Mapping[str, Any], env: Mapping[str, str], python: Path) -> Emulator:
    """Return one execution environment of the function, started as its image says, but by `python`."""
    repository, _, digest = config["ImageUri"].partition("/")[2].partition("@")
    image = json.loads(ecr._manifest_blobs[repository][digest])
    process = json.loads(ecr._layer_blobs[repository][image["config"]["digest"]])
    root = laid(tuple(ecr._layer_blobs[repository][layer] for layer in _ours(image, process)))
    _, *arguments = process["config"]["Entrypoint"]
    return Emulator(
        Unpacked(task=root / CODE, opt=root),
        python=python,
        bootstrap=(python, *(each.replace(f"/{CODE}", str(root / CODE)) for each in arguments)),
        env={**dict(each.split("=", 1) for each in process["config"]["Env"]), **env},
        timeout_s=config["Timeout"],
        memory_mb=config["MemorySize"],
    )


@cache
def laid(layers: tuple[bytes, ...]) -> Path:
    """Return a folder with what of ours is in `layers`. Code is copied, the rest is linked: it is large."""
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    (folder / ROOT).mkdir(parents=True)
    for part in (part for layer in layers for part in unpacked(layer).glob(f"{ROOT}/*")):
        into = folder / ROOT / part.name
        if into == folder / CODE:
            shutil.copytree(part, into, dirs_exist_ok=True)
        elif not into.exists():
            into.symlink_to(part)
    return folder


@cache
def unpacked(layer: bytes) -> Path:
    """Return a folder with what of ours is in a layer."""
    folder = Path(tempfile.mkdtemp(prefix="layer-"))
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        members = [each for each in archive if each.name.startswith(f"{ROOT}/")]
        archive.extractall(folder, members, filter="tar")
    return folder


def _ours(image: Mapping[str, Any], process: Mapping[str, Any]) -> list[str]:
    """Return the digests of the layers that the base has not."""
    names = [each["created_by"] for each in process["history"] if not each.get("empty_layer")]
    return [
        layer["digest"] for layer, name in zip(image["layers"], names, strict=True) if name.startswith(OURS)
    ]

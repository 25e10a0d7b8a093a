"""An image to a folder (OCI layout) or to an archive that `docker load` and `podman load` take.

Layout: https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md. The archive is that layout
in a tar with a `manifest.json` beside it, as Docker itself has saved images since version 25.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from preheat.bundle.image.blob import Blob, copy
from preheat.bundle.image.document import Descriptor, to_bytes
from preheat.bundle.image.image import Image
from preheat.bundle.image.media import OCI_INDEX
from preheat.bundle.image.reference import Reference
from preheat.bundle.image.tar import tar_stream
from preheat.bundle.zip.packing import Member
from preheat.errors import BundleError
from preheat.progress import Amount, Report

STAGE = "export"
LAYOUT = "oci-layout"
INDEX = "index.json"


def export_layout(image: Image, folder: Path, *, name: Reference | None, report: Report) -> None:
    """Write `image` to `folder` as an OCI layout. Blobs that are there already stay. Raises BundleError."""
    if folder.exists() and any(folder.iterdir()) and not (folder / LAYOUT).is_file():
        raise BundleError(f"{folder} is not empty, and no image layout.", hint="Name another folder.")
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    content = _blobs(image)
    total = sum(blob.size for blob in content)
    _check_room(folder, total)
    done = 0
    for blob in content:
        path = blobs / blob.digest.removeprefix("sha256:")
        if not (path.is_file() and path.stat().st_size == blob.size):
            copy(blob, path)
        done += blob.size
        report(Amount(STAGE, folder.name, done, total, "bytes"))
    for file, data in _documents(image, name).items():
        (folder / file).write_bytes(data)


def export_archive(image: Image, path: Path, *, name: Reference, report: Report) -> None:
    """Write `image` to the tar file `path`, complete or not at all. Raises BundleError."""
    content = _blobs(image)
    _check_room(path.parent, 2 * sum(blob.size for blob in content))
    staging = Path(mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        export_layout(image, staging / "layout", name=name, report=report)
        with (staging / "tar").open("wb") as file:
            for piece in tar_stream([*_members(staging / "layout")]):
                file.write(piece)
        (staging / "tar").replace(path)
    finally:
        shutil.rmtree(staging)


def _blobs(image: Image) -> list[Blob]:
    blobs: list[Blob] = [*(layer.blob for layer in image.layers), image.config, image.manifest]
    return [*{blob.digest: blob for blob in blobs}.values()]


def _documents(image: Image, name: Reference | None) -> dict[str, bytes]:
    """Return the files beside the blobs: what makes it a layout, and what `docker load` reads."""
    entry = Descriptor(image.media_type, image.digest, image.manifest.size).to_json()
    if name is not None:
        entry["annotations"] = {
            "io.containerd.image.name": f"{name.registry}/{name.repository}:{name.tag or 'latest'}",
            "org.opencontainers.image.ref.name": name.tag or "latest",
        }
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    loaded = {
        "Config": _path(image.config),
        "RepoTags": [str(name)] if name is not None else [],
        "Layers": [_path(layer.blob) for layer in image.layers],
    }
    return {
        LAYOUT: b'{"imageLayoutVersion":"1.0.0"}',
        INDEX: to_bytes(index),
        "manifest.json": json.dumps([loaded]).encode(),
    }


def _path(blob: Blob) -> str:
    return f"blobs/sha256/{blob.digest.removeprefix('sha256:')}"


def _members(folder: Path) -> Iterator[Member]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            yield Member(path=path.relative_to(folder).as_posix(), source=path, size=path.stat().st_size)


def _check_room(folder: Path, size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size:
        raise BundleError(
            f"The image needs {size:,} bytes, and the disk of {folder} has less room than that.",
            hint="Free some space, or name a place on another disk.",
        )

"""The layers of a bundle as layers of an image, compressed once and kept: `cache/images/KEY.tar.gz`.

The order is how seldom they change: dependencies, weights, preheat's own files, the user's. So an edit of the
handler moves the last one alone.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.bundle.image.blob import FileBlob
from preheat.bundle.image.compression import Compressed, compress
from preheat.bundle.image.container import CODE, DEPENDENCIES, WEIGHTS
from preheat.bundle.image.tar import tar_stream
from preheat.bundle.model import Bundle
from preheat.bundle.shipped import OURS
from preheat.bundle.zip.archive import Part, members_of
from preheat.bundle.zip.packing import Member
from preheat.errors import BundleError
from preheat.progress import Amount, Report, Step

STAGE = "image"
FORMAT = 1
"""Raised whenever the same content would be packed otherwise."""

FOLDERS = (DEPENDENCIES, WEIGHTS, CODE)

PARTS: dict[str, Part] = {
    "dependencies": Part(layer="dependencies", folder=DEPENDENCIES),
    "weights": Part(layer="weights", folder=WEIGHTS),
    "preheat": Part(layer="code", folder=CODE, only=frozenset(OURS)),
    "code": Part(layer="code", folder=CODE, without=frozenset(OURS)),
}


@dataclass(frozen=True, slots=True)
class Packed:
    """One layer: its blob, the digest of what it unpacks to, and whether it was there already."""

    name: str
    blob: FileBlob
    diff_id: str
    cached: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What a layer is made of. `folders` are in it though empty, those `there` are not: the base has them."""

    name: str
    members: Sequence[Member]
    folders: tuple[str, ...] = ()
    there: frozenset[str] = frozenset()


def pack_layers(bundle: Bundle, cache: Cache, report: Report) -> tuple[Packed, ...]:
    """Return the layers of `bundle` in order, packed unless the cache has them.

    Empty ones are left out, and so are those that the target keeps apart.
    """
    return tuple(_pack_layers(bundle, cache, report))


def recall(name: str, path: Path, cache: Cache) -> Packed | None:
    """Return the layer that was packed to `path` before."""
    try:
        made = Compressed(**json.loads(_record(path).read_text()))
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    if size != made.size:
        return None
    cache.used(path, _record(path))
    return Packed(name, FileBlob(path, made.digest, made.size), made.diff_id, cached=True)


def pack(content: Content, path: Path, cache: Cache, report: Report) -> Packed:
    """Pack a layer to `path`. Raises BundleError where the disk has no room for it."""
    name, members = content.name, content.members
    total = sum(member.size for member in members)
    report(Step(STAGE, f"packing {name}: {len(members)} files"))
    done = 0

    def progress(size: int) -> None:
        nonlocal done
        done += size
        report(Amount(STAGE, name, min(done, total), total, "bytes"))

    with cache.staging() as staging:
        if shutil.disk_usage(staging).free < total:
            raise BundleError(
                f"The layer {name} has {total:,} bytes, and the disk of {cache.root} has less room.",
                hint="Free some space, or set PREHEAT_HOME to a folder on another disk.",
            )
        stream = tar_stream(members, content.folders, there=content.there)
        with (staging / "layer").open("wb") as file:
            made = compress(stream, file, progress=progress)
        cache.publish(staging / "layer", path)
    # Last, as without it the layer counts as absent.
    cache.write(_record(path), json.dumps(asdict(made)))
    return Packed(name, FileBlob(path, made.digest, made.size), made.diff_id, cached=False)


def _pack_layers(bundle: Bundle, cache: Cache, report: Report) -> Iterator[Packed]:
    for name, part in PARTS.items():
        if part.layer in bundle.target.apart:
            continue
        layer = bundle.layer(part.layer)
        key = hashlib.sha256(json.dumps([FORMAT, name, part.folder, part.digest(layer)]).encode()).hexdigest()
        path = cache.root / "images" / f"{key}.tar.gz"
        known = recall(name, path, cache)
        if known is not None:
            yield known
        elif members := [*members_of(part, layer)]:
            # The folders are in the layer that every image has, so that an empty one exists too.
            folders = FOLDERS if name == "preheat" else ()
            yield pack(Content(name, members, folders), path, cache, report)


def _record(path: Path) -> Path:
    return path.with_name(path.name.replace(".tar.gz", ".json"))

"""A bundle to a zip in the cache. In: layers, their places. Out: `archives/HEX.zip`, complete or absent."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO

from preheat.bundle.cache import Cache
from preheat.bundle.digest import read_files, tree_digest
from preheat.bundle.model import Bundle, Layer, LayerName
from preheat.bundle.zip.packing import Member
from preheat.bundle.zip.writing import write_zip
from preheat.progress import Amount, Report, Step

STAGE = "zip"
FORMAT = 1
"""Raised whenever the same content would be packed otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A layer, or some of it, in a `folder` of the archive (empty for the root).

    `only` and `without` name what lies at the top of the layer.
    """

    layer: LayerName
    folder: str = ""
    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Say whether the file or folder `name` at the top of the layer belongs to the part."""
        return name not in self.without and (self.only is None or name in self.only)

    def digest(self, layer: Layer) -> str:
        """Return a digest over what the part has of `layer`. Reads the files unless it is all of them."""
        if self.only is None and not self.without:
            return layer.digest
        return tree_digest(read_files({member.path: _path(member) for member in members_of(self, layer)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What goes into one archive: layers of a bundle or parts of them, and `files` beside them."""

    layers: tuple[Part, ...]
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))

    def digest(self, bundle: Bundle) -> str:
        """Return `sha256:HEX` over all that will be unpacked, without packing it."""
        parts = sorted([part.folder, part.digest(bundle.layer(part.layer))] for part in self.layers)
        files = [[path, hashlib.sha256(data).hexdigest()] for path, data in sorted(self.files.items())]
        return f"sha256:{hashlib.sha256(json.dumps([FORMAT, parts, files]).encode()).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A zip file. `digest` is `sha256:HEX` over what it unpacks to, `sha256` (hex) over the file's bytes."""

    digest: str
    sha256: str
    bytes: int
    path: Path
    cached: bool


def zip_bundle(
    bundle: Bundle, layout: Layout, *, cache: Cache, report: Report, threads: int | None = None
) -> Archive:
    """Return the archive of `bundle`, packed unless the cache has it. Raises BundleError if paths clash."""
    digest = layout.digest(bundle)
    path = cache.root / "archives" / f"{digest.removeprefix('sha256:')}.zip"
    known = _recall(path, digest)
    if known is not None:
        cache.used(path, _record(path))
        return known
    members = [*_all_members(bundle, layout)]
    total = sum(member.size for member in members)
    report(Step(STAGE, f"packing {len(members)} files"))
    done = 0

    def progress(size: int) -> None:
        nonlocal done
        done += size
        report(Amount(STAGE, "packed", done, total, "bytes"))

    with cache.staging() as staging:
        with (staging / "zip").open("wb") as file:
            sink = _Hashing(file)
            size = write_zip(members, sink, threads=threads, progress=progress)
        cache.publish(staging / "zip", path)
    sha256 = sink.digest.hexdigest()
    # Last, as without it the archive counts as absent.
    cache.write(_record(path), json.dumps({"sha256": sha256, "bytes": size}))
    return Archive(digest=digest, sha256=sha256, bytes=size, path=path, cached=False)


class _Hashing:
    """Writes to a file and hashes what it writes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes | bytearray, /) -> None:
        self._file.write(data)
        self.digest.update(data)


def _all_members(bundle: Bundle, layout: Layout) -> Iterator[Member]:
    for part in layout.layers:
        yield from members_of(part, bundle.layer(part.layer))
    for path, data in layout.files.items():
        yield Member(path=path, source=data, size=len(data))


def members_of(part: Part, layer: Layer) -> Iterator[Member]:
    """Yield what `part` has of `layer`, in no order."""
    prefix = f"{part.folder}/" if part.folder else ""
    with os.scandir(layer.path) as entries:
        for entry in entries:
            if part.takes(entry.name):
                yield from _below(entry, prefix)


def _below(entry: os.DirEntry[str], prefix: str) -> Iterator[Member]:
    path = f"{prefix}{entry.name}"
    if entry.is_dir(follow_symlinks=False):
        with os.scandir(entry.path) as entries:
            for inner in entries:
                yield from _below(inner, f"{path}/")
        return
    found = entry.stat(follow_symlinks=False)
    executable = bool(found.st_mode & 0o100)
    yield Member(path=path, source=Path(entry.path), size=found.st_size, executable=executable)


def _path(member: Member) -> Path:
    assert isinstance(member.source, Path)
    return member.source


def _record(path: Path) -> Path:
    return path.with_suffix(".json")


def _recall(path: Path, digest: str) -> Archive | None:
    try:
        record = json.loads(_record(path).read_text())
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    if size != record["bytes"]:
        return None
    return Archive(digest=digest, sha256=record["sha256"], bytes=size, path=path, cached=True)

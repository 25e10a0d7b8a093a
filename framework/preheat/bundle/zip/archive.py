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
from preheat.bundle.model import Bundle, LayerName
from preheat.bundle.zip.packing import Member
from preheat.bundle.zip.writing import write_zip
from preheat.errors import BundleError
from preheat.progress import Amount, Report, Step

STAGE = "zip"
IMPORTABLE = (".py", ".so")
FORMAT = 1
"""Raised whenever the same content would be packed otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What goes into the archive: layers, each with its folder (empty for the root), and more `files`.

    Layers may share a folder: the first one wins where both have a file, as on a search path. A module
    that both have is refused, because Python would find it in the wrong one, or in both.
    """

    layers: Mapping[LayerName, str]
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))

    def digest(self, bundle: Bundle) -> str:
        """Return `sha256:HEX` over all that will be unpacked, without packing it."""
        layers = [[bundle.layer(name).digest, folder] for name, folder in self.layers.items()]
        files = [[path, hashlib.sha256(data).hexdigest()] for path, data in sorted(self.files.items())]
        return f"sha256:{hashlib.sha256(json.dumps([FORMAT, layers, files]).encode()).hexdigest()}"


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
    members = _members(bundle, layout)
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


def _members(bundle: Bundle, layout: Layout) -> list[Member]:
    members: dict[str, Member] = {}
    owners: dict[str, LayerName] = {}
    for name, folder in layout.layers.items():
        prefix = f"{folder}/" if folder else ""
        for member in _files(bundle.layer(name).path, prefix):
            module = _module(member.path, prefix)
            if module is not None and owners.setdefault(module, name) != name:
                raise BundleError(
                    f"The {owners[module]} and the {name} of this bundle both have a module {module}, and they "
                    "share a folder in the archive.",
                    hint=f"Rename yours, or leave it out: echo '/{module}' >> .preheatignore",
                )
            members.setdefault(member.path, member)
    files = [Member(path=path, source=data, size=len(data)) for path, data in layout.files.items()]
    return [*members.values(), *files]


def _module(path: str, prefix: str) -> str | None:
    """Return the top-level module that `path` belongs to, if it is of one."""
    top, _, rest = path.removeprefix(prefix).partition("/")
    name = top if rest else top.partition(".")[0]
    return (
        prefix + name if path.endswith(IMPORTABLE) and name.isidentifier() and name != "__pycache__" else None
    )


def _files(folder: Path, prefix: str) -> Iterator[Member]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path), f"{prefix}{entry.name}/")
            else:
                found = entry.stat(follow_symlinks=False)
                executable = bool(found.st_mode & 0o100)
                path = f"{prefix}{entry.name}"
                yield Member(path=path, source=Path(entry.path), size=found.st_size, executable=executable)


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

"""What of the cache nobody needs. In: the digests of deployed bundles and an age. Out: what goes, as data.

A bundle is kept while it is deployed or was used since then, and keeps its layers. Weights stay while a
layer links to them. Everything else can be made again, and goes by its age.
"""

import os
import shutil
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.bundle.record import layers_of
from preheat.errors import BundleError

LAYERS, BUNDLES, WEIGHTS = "layers", "bundles", "weights"
_NEVER = frozenset({LAYERS, BUNDLES, WEIGHTS, "locks", "tmp"})

Inodes = Counter[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file or folder of the cache that nobody needs; `kind` is the folder of the cache that it is in."""

    kind: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """What goes. `freed_bytes` leaves out files that are linked to from elsewhere."""

    entries: tuple[Entry, ...]
    freed_bytes: int


def find_unused(cache: Cache, deployed: Collection[str], *, since: float) -> Pruning:
    """Return what no bundle of `deployed` needs and nothing has used since `since` (s since the epoch).

    Raises BundleError where it is not known what a deployed bundle needs.
    """
    kept, entries = _bundles(cache, deployed, since)
    removed: Inodes = Counter()
    for path in _old(cache.root / LAYERS, since):
        if path not in kept:
            entries.append(Entry(kind=LAYERS, path=path))
            removed.update(_inodes(path))
    for path in _old(cache.root / WEIGHTS, since):
        found = path.stat()
        if found.st_nlink <= 1 + removed[found.st_dev, found.st_ino]:
            entries.append(Entry(kind=WEIGHTS, path=path))
    for folder in _children(cache.root):
        if folder.name not in _NEVER:
            entries += [Entry(kind=folder.name, path=path) for path in _old(folder, since, deep=True)]
    return Pruning(entries=tuple(entries), freed_bytes=_freed(entry.path for entry in entries))


def remove(cache: Cache, pruning: Pruning) -> None:
    """Remove what was found; each leaves its name in one step."""
    with cache.staging() as staging:
        for number, entry in enumerate(pruning.entries):
            entry.path.rename(staging / str(number))
            shutil.rmtree(staging / str(number), ignore_errors=True)


def _bundles(cache: Cache, deployed: Collection[str], since: float) -> tuple[set[Path], list[Entry]]:
    """Return the layers that must stay, and the records of bundles that may go."""
    for digest in deployed:
        if layers_of(cache, digest) is None:
            raise BundleError(
                f"The bundle {digest[:19]} is deployed, and the cache has no record of its layers.",
                hint="Deploy that function again: preheat deploy",
            )
    kept: set[Path] = set()
    old = set(_old(cache.root / BUNDLES, since)) - {cache.bundle(digest) for digest in deployed}
    for folder in _children(cache.root / BUNDLES):
        if folder not in old:
            kept.update(layers_of(cache, folder.name) or ())
    return kept, [Entry(kind=BUNDLES, path=path) for path in sorted(old)]


def _old(folder: Path, since: float, *, deep: bool = False) -> Iterator[Path]:
    """Yield what of `folder` was last used before `since`; with `deep` the files of nested byte-code too."""
    for path in _children(folder):
        if deep and folder.name != "packages" and path.is_dir():
            yield from _old(path, since, deep=True)
        elif path.lstat().st_mtime < since:
            yield path


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _freed(paths: Iterable[Path]) -> int:
    links: Inodes = Counter()
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    for path in paths:
        for found in _files(path):
            key = found.st_dev, found.st_ino
            links[key] += 1
            sizes[key] = found.st_nlink, found.st_size
    return sum(size for key, (nlink, size) in sizes.items() if links[key] >= nlink)


def _inodes(path: Path) -> Iterator[tuple[int, int]]:
    return ((found.st_dev, found.st_ino) for found in _files(path))


def _files(path: Path) -> Iterator[os.stat_result]:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        yield found
        return
    for parent, _, names in os.walk(path):
        for name in names:
            yield (Path(parent) / name).lstat()

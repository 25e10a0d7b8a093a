"""A tree to a folder in the cache. In: files anywhere. Out: `layers/<name>-<hex>`, complete or absent."""

import hashlib
import os
import shutil
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.bundle.digest import File, Tree, tree_bytes, tree_digest
from preheat.bundle.model import Layer, LayerName
from preheat.errors import BundleError


def materialise(cache: Cache, name: LayerName, tree: Tree) -> Layer:
    """Return the layer of `tree`, made unless it exists. What the cache holds is linked, the rest copied."""
    digest = tree_digest(tree)
    folder = cache.layer(name, digest)
    if not folder.is_dir():
        with cache.staging() as staging:
            _write(cache, tree, staging / "layer")
            cache.publish(staging / "layer", folder)
    cache.used(folder)
    return Layer(name=name, digest=digest, bytes=tree_bytes(tree), path=folder)


def _write(cache: Cache, tree: Tree, folder: Path) -> None:
    folder.mkdir()
    for parent in sorted({os.path.dirname(path) for path in tree}):  # noqa: PTH120 - thousands of paths
        (folder / parent).mkdir(parents=True, exist_ok=True)
    for path, file in tree.items():
        if isinstance(file.source, Path) and file.source.is_relative_to(cache.root):
            _link(file.source, folder / path)
        else:
            _copy(file, folder / path)


def _link(source: Path, path: Path) -> None:
    try:
        os.link(source, path)
    except OSError:  # another file system, too many links, or links not allowed
        shutil.copy(source, path)


def _copy(file: File, path: Path) -> None:
    """Copy what belongs to the user, and see that it still is what was hashed."""
    content = file.source if isinstance(file.source, bytes) else file.source.read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise BundleError(f"{file.source!s} changed while it was being built.", hint="Build again.")
    path.write_bytes(content)
    path.chmod(file.mode)

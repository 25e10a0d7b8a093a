"""Bases and bundles for images, made in memory."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.bundle.digest import content_file
from preheat.bundle.layers import materialise
from preheat.bundle.model import Bundle, LayerName, Target

GLIBC = b"\x7fELF...GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n\0..."
BASE: Mapping[str, bytes] = {
    "usr/bin/python3.11": b"\x7fELF",
    "usr/lib/python3.11/asyncio/__init__.py": b"",
    "usr/lib/python3.11/asyncio/__pycache__/__init__.cpython-311.pyc": b"",
    "lib/x86_64-linux-gnu/libc.so.6": GLIBC,
    "lib/x86_64-linux-gnu/libstdc++.so.6": b"\x7fELF",
}
TREES: Mapping[LayerName, Mapping[str, str]] = {
    "dependencies": {"numpy/__init__.py": "", "numpy/core.txt": "x" * 5000},
    "weights": {"model/m.onnx": "weights"},
    "code": {
        "handler.py": "x = 1\n",
        "preheat/__init__.py": "",
        "preheat/runtime/server/entry.py": "",
        "preheat-manifest.json": "{}",
    },
}
TARGET = Target(provider="container", platform="x86_64-manylinux_2_28", python="3.11")


def tar_of(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """Return an archive of `files`, and of symbolic links."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return into.getvalue()


def layer_of(files: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """Return a layer as (compressed, unpacked)."""
    plain = tar_of(files)
    return gzip.compress(plain, mtime=0), plain


@dataclass
class Bundles:
    """Makes bundles below one cache."""

    cache: Cache
    target: Target = field(default=TARGET)

    def make(self, **trees: Mapping[str, str]) -> Bundle:
        """Return a bundle of `TREES`, with `trees` in place of those of the same name."""
        layers = tuple(
            materialise(
                self.cache,
                name,
                {path: content_file(text.encode()) for path, text in trees.get(name, tree).items()},
            )
            for name, tree in TREES.items()
        )
        return Bundle(
            digest=f"sha256:{'b' * 64}",
            target=self.target,
            layers=layers,
            sizes=(),
            path=Path(self.cache.root),
            cached=False,
            contract=None,
        )

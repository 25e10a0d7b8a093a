"""What a base image has that matters to us, read from its layers: interpreters, C library, shared libraries.

The configuration says the architecture, but not what is inside. So the layers are read once, as a stream
from the registry, and the answer is kept by the digest of the manifest. The C library says its version in
its own text.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from preheat.bundle.image.overlay import Overlay, Read

Version = tuple[int, ...]
"""Of a C library; empty for what is none."""

_PYTHON = re.compile(r"(?:.*/)?bin/python(3\.\d+)")
_STANDARD_LIBRARY = re.compile(r"((?:.*/)?python(3\.\d+))/asyncio/__init__\.pyc?")
_BYTECODE = re.compile(
    r"((?:.*/)?python3\.\d+)/asyncio/(?:__init__\.pyc|__pycache__/__init__\.cpython-\d+\.pyc)"
)
_GLIBC = re.compile(r"(?:.*/)?(?:libc\.so\.6|libc-2\.\d+\.so)")
_GLIBC_TEXT = re.compile(rb"GNU C Library [^\0\n]*?release version (\d+)\.(\d+)")
_OTHER_WIDTH = ("lib32", "libx32", "i386-linux-gnu")
_MUSL = re.compile(r"(?:.*/)?ld-musl-[\w]+\.so\.1")
_LIBRARY = re.compile(r"(?:.*/)?[^/]+\.so(?:\.\d+)*")
_LARGEST_LIBC = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`pythons` maps 3.12 to the paths of its interpreters, `complete` lists those with a standard library.

    `uncompiled` maps 3.12 to the folders of its standard library that have no byte-code. `glibc` is None
    without one; `libraries` are the names of shared libraries.
    """

    pythons: dict[str, list[str]]
    complete: list[str]
    uncompiled: dict[str, list[str]]
    glibc: tuple[int, int] | None
    musl: bool
    libraries: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Facts":
        """Return what `to_json` gave."""
        glibc = document["glibc"]
        return cls(**{**document, "glibc": (glibc[0], glibc[1]) if glibc else None})


@dataclass(slots=True)
class FactFinder:
    """Takes the layers of an image from the lowest up, then says what is left of them."""

    _left: Overlay[Version] = field(default_factory=lambda: Overlay(_look))

    def add(self, layer: Iterable[bytes]) -> None:
        """Read one layer, as a tar archive in pieces. Raises BundleError for one that is broken."""
        self._left.add(layer)

    def facts(self) -> Facts:
        """Return what there is after the last layer."""
        pythons: dict[str, list[str]] = {}
        folders: dict[str, set[str]] = {}
        compiled = set()
        paths = sorted(self._left.files)
        for path in paths:
            if found := _PYTHON.fullmatch(path):
                pythons.setdefault(found[1], []).append(f"/{path}")
            elif found := _STANDARD_LIBRARY.fullmatch(path):
                folders.setdefault(found[2], set()).add(found[1])
            if found := _BYTECODE.fullmatch(path):
                compiled.add(found[1])
        slow = {version: sorted(found - compiled) for version, found in folders.items()}
        return Facts(
            pythons=pythons,
            complete=sorted(folders),
            uncompiled={version: found for version, found in slow.items() if found},
            glibc=max(((found[0], found[1]) for found in self._left.files.values() if found), default=None),
            musl=any(_MUSL.fullmatch(path) for path in paths),
            libraries=sorted({PurePosixPath(path).name for path in paths if _LIBRARY.fullmatch(path)}),
        )


def _look(path: str, read: Read | None) -> Version | None:
    if not any(pattern.fullmatch(path) for pattern in (_PYTHON, _STANDARD_LIBRARY, _BYTECODE, _LIBRARY)):
        return None
    if read is None or not _GLIBC.fullmatch(path) or any(part in path for part in _OTHER_WIDTH):
        return ()
    found = _GLIBC_TEXT.search(read(_LARGEST_LIBC))
    return (int(found[1]), int(found[2])) if found else ()

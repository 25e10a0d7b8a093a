"""What a base image has that matters to us, read from its layers: interpreters, C library, shared libraries.

The configuration says the architecture, but not what is inside. So the layers are read once, as a stream
from the registry, from the lowest up and with their whiteouts (OCI image-spec 1.1, layer.md). Nothing is
unpacked to disk, and the answer is kept by the digest of the manifest. The C library says its version in its
own text.
"""

import io
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from preheat.errors import BundleError

_PYTHON = re.compile(r"(?:.*/)?bin/python(3\.\d+)")
_STANDARD_LIBRARY = re.compile(r"(?:.*/)?python(3\.\d+)/asyncio/__init__\.pyc?")
_GLIBC = re.compile(r"(?:.*/)?(?:libc\.so\.6|libc-2\.\d+\.so)")
_GLIBC_TEXT = re.compile(rb"GNU C Library [^\0\n]*?release version (\d+)\.(\d+)")
_OTHER_WIDTH = ("lib32", "libx32", "i386-linux-gnu")
_MUSL = re.compile(r"(?:.*/)?ld-musl-[\w]+\.so\.1")
_LIBRARY = re.compile(r"(?:.*/)?[^/]+\.so(?:\.\d+)*")
_LARGEST_LIBC = 16 << 20
_REMOVED, _REMOVED_ALL = ".wh.", ".wh..wh..opq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`pythons` maps 3.12 to the paths of its interpreters, `complete` lists those with a standard library.

    `glibc` is None without one; `libraries` are the names of shared libraries.
    """

    pythons: dict[str, list[str]]
    complete: list[str]
    glibc: tuple[int, int] | None
    musl: bool
    libraries: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return {
            "pythons": self.pythons,
            "complete": self.complete,
            "glibc": self.glibc,
            "musl": self.musl,
            "libraries": self.libraries,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Facts":
        """Return what `to_json` gave."""
        glibc = document["glibc"]
        return cls(**{**document, "glibc": (glibc[0], glibc[1]) if glibc else None})


@dataclass(slots=True)
class FactFinder:
    """Takes the layers of an image from the lowest up, then says what is left of them."""

    _paths: set[str] = field(default_factory=set)
    _glibc: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, layer: Iterable[bytes]) -> None:
        """Read one layer, as a tar archive in pieces. Raises BundleError for one that is broken."""
        added: set[str] = set()
        versions: dict[str, tuple[int, int]] = {}
        pieces = iter(layer)
        try:
            with tarfile.open(fileobj=_Stream(pieces), mode="r|", bufsize=1 << 20) as archive:
                for entry in archive:
                    self._take(archive, entry, added, versions)
                    archive.members = []  # type: ignore[attr-defined]  # else it keeps all it has seen
            for _ in pieces:  # to the last byte, after which its digest is known
                pass
        except (tarfile.TarError, zlib.error, EOFError) as exc:
            raise BundleError(f"A layer of the base image is broken: {exc}.") from exc
        self._paths |= added
        self._glibc |= versions

    def facts(self) -> Facts:
        """Return what there is after the last layer."""
        pythons: dict[str, list[str]] = {}
        complete = set()
        for path in sorted(self._paths):
            if found := _PYTHON.fullmatch(path):
                pythons.setdefault(found[1], []).append(f"/{path}")
            elif found := _STANDARD_LIBRARY.fullmatch(path):
                complete.add(found[1])
        libraries = {PurePosixPath(path).name for path in self._paths if _LIBRARY.fullmatch(path)}
        versions = [version for path, version in self._glibc.items() if path in self._paths]
        return Facts(
            pythons=pythons,
            complete=sorted(complete),
            glibc=max(versions, default=None),
            musl=any(_MUSL.fullmatch(path) for path in self._paths),
            libraries=sorted(libraries),
        )

    def _take(
        self,
        archive: tarfile.TarFile,
        entry: tarfile.TarInfo,
        added: set[str],
        versions: dict[str, tuple[int, int]],
    ) -> None:
        path = entry.name.removeprefix("./").lstrip("/")
        folder, _, name = path.rpartition("/")
        if name == _REMOVED_ALL:
            self._remove(f"{folder}/" if folder else "")
        elif name.startswith(_REMOVED):
            gone = f"{folder}/{name.removeprefix(_REMOVED)}".lstrip("/")
            self._paths.discard(gone)
            self._remove(f"{gone}/")
        elif any(pattern.fullmatch(path) for pattern in (_PYTHON, _STANDARD_LIBRARY, _LIBRARY)):
            added.add(path)
            if entry.isreg() and _GLIBC.fullmatch(path) and not any(part in path for part in _OTHER_WIDTH):
                content = archive.extractfile(entry)
                text = content.read(_LARGEST_LIBC) if content is not None else b""
                if found := _GLIBC_TEXT.search(text):
                    versions[path] = int(found[1]), int(found[2])

    def _remove(self, prefix: str) -> None:
        self._paths = {path for path in self._paths if not path.startswith(prefix)}


def gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what `pieces` unpack to, member by member, in pieces of bounded size. Raises zlib.error."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    for piece in pieces:
        waiting = piece
        while waiting:
            yield stream.decompress(waiting, 1 << 20)
            if stream.eof:
                waiting = stream.unused_data
                stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
            else:
                waiting = stream.unconsumed_tail


class _Stream(io.RawIOBase):
    """Pieces as a file that can only be read on."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, None)) is not None:
            self._rest += piece
        part, self._rest = self._rest[:size], self._rest[size:]
        return part

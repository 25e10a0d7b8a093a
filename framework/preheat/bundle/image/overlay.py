"""What the layers of an image leave of files: each is read once, as a stream, from the lowest up.

A layer removes what lies below it by whiteouts (OCI image-spec 1.1, layer.md). Nothing is unpacked to disk.
"""

import io
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from preheat.errors import BundleError

T = TypeVar("T")
Read = Callable[[int], bytes]
"""Returns a file's content, up to so many bytes."""

_REMOVED, _REMOVED_ALL = ".wh.", ".wh..wh..opq"


@dataclass(slots=True)
class Overlay(Generic[T]):
    """What `look` made of each file that is left, by path.

    `look` gets a path, and what reads it where it is a regular file; for None it is not kept.
    """

    look: Callable[[str, Read | None], T | None]
    files: dict[str, T] = field(default_factory=dict)

    def add(self, layer: Iterable[bytes]) -> None:
        """Read one layer, as a tar archive in pieces. Raises BundleError for one that is broken."""
        added: dict[str, T] = {}
        pieces = iter(layer)
        try:
            with tarfile.open(fileobj=_Stream(pieces), mode="r|", bufsize=1 << 20) as archive:
                for entry in archive:
                    self._take(archive, entry, added)
                    archive.members = []  # type: ignore[attr-defined]  # else it keeps all it has seen
            for _ in pieces:  # to the last byte, after which its digest is known
                pass
        except (tarfile.TarError, zlib.error, EOFError) as exc:
            raise BundleError(f"A layer of the base image is broken: {exc}.") from exc
        self.files |= added

    def _take(self, archive: tarfile.TarFile, entry: tarfile.TarInfo, added: dict[str, T]) -> None:
        path = entry.name.removeprefix("./").lstrip("/")
        folder, _, name = path.rpartition("/")
        if name == _REMOVED_ALL:
            self._remove(f"{folder}/" if folder else "")
            return
        if name.startswith(_REMOVED):
            gone = f"{folder}/{name.removeprefix(_REMOVED)}".lstrip("/")
            self.files.pop(gone, None)
            self._remove(f"{gone}/")
            return
        content = archive.extractfile(entry) if entry.isreg() else None
        seen = self.look(path, None if content is None else content.read)
        if seen is not None:
            added[path] = seen

    def _remove(self, prefix: str) -> None:
        self.files = {path: seen for path, seen in self.files.items() if not path.startswith(prefix)}


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

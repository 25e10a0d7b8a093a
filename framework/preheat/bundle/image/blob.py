"""Content by its digest, wherever it is. Read in pieces from any place, never held as a whole."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from preheat.errors import BundleError

PIECE = 1 << 20


class Blob(Protocol):
    """Content called `digest` (`sha256:HEX`) of `size` bytes."""

    @property
    def digest(self) -> str:
        """Its name."""
        ...

    @property
    def size(self) -> int:
        """How many bytes it has."""
        ...

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield `length` bytes from `offset` on, in pieces."""
        ...


def digest_of(data: bytes) -> str:
    """Return `sha256:HEX` of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True, slots=True)
class BytesBlob:
    """Small content, in memory."""

    data: bytes

    @property
    def digest(self) -> str:
        """Its name."""
        return digest_of(self.data)

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.data)

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield what was asked for."""
        yield self.data[offset : offset + length]


@dataclass(frozen=True, slots=True)
class FileBlob:
    """Content in a file."""

    path: Path
    digest: str
    size: int

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield what was asked for."""
        with self.path.open("rb") as file:
            file.seek(offset)
            while length > 0 and (piece := file.read(min(PIECE, length))):
                length -= len(piece)
                yield piece


class Checked:
    """Reads `blob` and hashes each byte the first time it passes: a wrong one is seen before the end."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._hash = hashlib.sha256()
        self._hashed = 0

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield as the blob does. Raises BundleError if it has less, or another content when all was read."""
        place = offset
        for piece in self._blob.read(offset, length):
            fresh = piece[max(self._hashed - place, 0) :]
            place += len(piece)
            if place > self._hashed:
                self._hash.update(fresh)
                self._hashed = place
            if place == self._blob.size:
                self._check()
            yield piece
        if place != offset + length:
            raise BundleError(
                f"{self._blob.digest[:19]} ended after {place:,} of {self._blob.size:,} bytes.",
                hint="Run the same command again.",
            )

    def _check(self) -> None:
        found = f"sha256:{self._hash.hexdigest()}"
        if found == self._blob.digest:
            return
        if isinstance(self._blob, FileBlob):
            reason, hint = (
                f"{self._blob.path} is damaged",
                f"rm {self._blob.path}  # and the same command again",
            )
        else:
            reason, hint = (
                "whoever sent it is broken or lies",
                "Choose another registry, or the image by its digest.",
            )
        raise BundleError(
            f"What should be {self._blob.digest} is {found}: {reason}. Nothing of it is used.", hint=hint
        )


def copy(blob: Blob, path: Path) -> None:
    """Write `blob` to `path`, checked; a copy that fails leaves nothing there."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            for piece in Checked(blob).read(0, blob.size):
                file.write(piece)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)

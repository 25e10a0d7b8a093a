"""Bodies that are sent piece by piece, files among them straight from disk, and forms made of such pieces."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from preheat.errors import BadInput

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file that is read when it is sent. `size` (bytes) is what its length was announced as."""

    path: Path
    size: int

    @classmethod
    def at(cls, path: Path) -> "OnDisk":
        """Look at the file. Raises BadInput where there is none."""
        try:
            with path.open("rb") as file:
                return cls(path, os.fstat(file.fileno()).st_size)
        except OSError as exc:
            raise BadInput(f"{path} cannot be sent: {exc.strerror}.") from exc

    def changed(self) -> BadInput:
        """Return the error for a file that is no longer as long as announced."""
        return BadInput(f"{self.path} changed while it was sent: it had {self.size} bytes when that began.")


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that can be sent more than once and never lies in memory as a whole."""

    pieces: tuple[bytes | OnDisk, ...]

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return sum(each.size if isinstance(each, OnDisk) else len(each) for each in self.pieces)

    def chunks(self) -> Iterator[bytes]:
        """Read it from the start. Raises BadInput for a file that has changed."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            left = piece.size
            with piece.path.open("rb") as file:
                while chunk := _next(piece, file, left):
                    left -= len(chunk)
                    yield chunk

    async def chunks_async(self) -> AsyncIterator[bytes]:
        """Read it from the start, the disk in a thread. Raises BadInput for a file that has changed."""
        chunks = self.chunks()
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk


@dataclass(frozen=True, slots=True)
class FormPart:
    """One part of multipart/form-data (RFC 7578)."""

    name: str
    content: bytes | OnDisk
    media_type: str
    filename: str | None = None

    def head(self) -> bytes:
        """Return its headers, with names escaped as browsers do (HTML 4.10.22.8)."""
        filename = "" if self.filename is None else f'; filename="{_quoted(self.filename)}"'
        return (
            f'Content-Disposition: form-data; name="{_quoted(self.name)}"{filename}\r\n'
            f"Content-Type: {self.media_type}\r\n\r\n"
        ).encode()


def form_upload(parts: Sequence[FormPart], boundary: str) -> Upload:
    """Return the body of a form. `boundary` must be one that no content can know."""
    pieces: list[bytes | OnDisk] = []
    for part in parts:
        pieces += [f"--{boundary}\r\n".encode() + part.head(), part.content, b"\r\n"]
    return Upload((*pieces, f"--{boundary}--\r\n".encode()))


def content_boundary(parts: Sequence[FormPart]) -> str:
    """Return a boundary that is the same for the same parts: reads them all once.

    A job's idempotency key covers the body, so the same input must make the same bytes; and a hash
    over the contents is nothing that one of them could hold on purpose.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.head())
        for chunk in Upload((part.content,)).chunks():
            digest.update(chunk)
    return digest.hexdigest()[:48]


def _next(piece: OnDisk, file: BinaryIO, left: int) -> bytes:
    chunk = file.read(min(CHUNK_BYTES, left))
    if (left and not chunk) or (not left and file.read(1)):
        raise piece.changed()
    return chunk


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\")
    return escaped.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")

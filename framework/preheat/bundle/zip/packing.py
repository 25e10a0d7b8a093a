"""One file to one entry: compressed where that pays, else left as it is. Reads the file, keeps nothing.

The compressor is libdeflate, measured beside isal, zlib-ng and zlib (docs/benchmarks.md). isal is faster,
but what it makes depends on the processor, and an archive must be the same everywhere; libdeflate's does
not, and is smaller than zlib's in a third of the time.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import deflate

from preheat.bundle.zip.records import DEFLATED, STORED, Entry
from preheat.errors import BundleError

LEVEL = 6
LARGEST = 64 << 20
"""Larger files are stored, so that memory stays bounded: libdeflate takes a file at once."""

WORTH = 0.9
"""What does not shrink to this share is stored: float32 weights lose 7 %, which no unpacking is worth."""

CHUNK = 1 << 20
_SAMPLED_FROM = 1 << 20
_SAMPLES = 4
_SAMPLE = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file for the archive. `source` is where its content is, or the content itself."""

    path: str
    source: Path | bytes
    size: int
    executable: bool = False

    @property
    def mode(self) -> int:
        """The normalised permission bits."""
        return 0o755 if self.executable else 0o644

    def chunks(self) -> Iterator[bytes]:
        """Yield the content, a megabyte at a time."""
        if isinstance(self.source, bytes):
            yield self.source
            return
        with self.source.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


@dataclass(frozen=True, slots=True)
class Packed:
    """An entry, and its data where that is not simply the member's content."""

    member: Member
    entry: Entry
    data: bytes | bytearray | None


def pack(member: Member) -> Packed:
    """Return `member` as an entry. Raises BundleError if its size is not what was announced."""
    if member.size > LARGEST or not _may_shrink(member):
        return _stored(member)
    content = b"".join(member.chunks())
    data = deflate.deflate_compress(content, LEVEL)
    if len(data) > WORTH * len(content):
        return _stored(member)
    check_size(member, len(content))
    entry = Entry(
        path=member.path,
        mode=member.mode,
        method=DEFLATED,
        crc=deflate.crc32(content),
        packed_bytes=len(data),
        bytes=len(content),
    )
    return Packed(member, entry, data)


def check_size(member: Member, size: int) -> None:
    """Raise BundleError if `size` is not what `member` announced."""
    if size != member.size:
        raise BundleError(f"{member.source!s} changed while it was being packed.", hint="Build again.")


def _stored(member: Member) -> Packed:
    crc = size = 0
    for chunk in member.chunks():
        crc = deflate.crc32(chunk, crc)
        size += len(chunk)
    check_size(member, size)
    entry = Entry(path=member.path, mode=member.mode, method=STORED, crc=crc, packed_bytes=size, bytes=size)
    return Packed(member, entry, None)


def _may_shrink(member: Member) -> bool:
    """Say whether compressing `member` is worth a try, from a few samples of a large file."""
    if member.size < _SAMPLED_FROM or isinstance(member.source, bytes):
        return member.size > 0
    with member.source.open("rb") as file:
        step = (member.size - _SAMPLE) // (_SAMPLES - 1)
        content = b"".join(os.pread(file.fileno(), _SAMPLE, number * step) for number in range(_SAMPLES))
    return len(deflate.deflate_compress(content, 1)) <= WORTH * len(content)

"""A shared library without what only debuggers read. In: a file. Out: its shorter bytes, if that pays.

A loader reads the segments that the program headers name, and never a section header (System V gABI,
chapter 5). Behind the last segment lie debugging data and the linker's table of symbols; the loader's own
(.dynsym) is in a segment. Wheels that were built with `-g` ship it: of uvloop's 14 MB it is 12.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LEAST = 64 << 10
"""Less than that is not worth a copy of the library."""

_HEADER = struct.Struct("<4sBB10xHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SECTIONS_AT, _SECTION_COUNT_AT = 40, 60
_LIBRARY = 3
_ALLOCATED = 2
_NO_BYTES = (0, 8)
"""SHT_NULL and SHT_NOBITS."""
_CALLED = re.compile(r"\.so(\.\d+)*$")
_UNREAD = re.compile(
    rb"\.z?debug(_.*)?|\.(sym|str|shstr)tab|\.comment|\.gnu_debug(alt)?link|\.gdb_index|\.stab(str)?"
    rb"|\.note\..*|\.gnu\.build\.attributes.*|\.GCC\.command\.line"
)
"""What may go. A section of another name is there for somebody who reads it: then nothing goes."""


class _Header(NamedTuple):
    magic: bytes
    width: int
    order: int
    kind: int
    machine: int
    version: int
    entry: int
    segments_at: int
    sections_at: int
    flags: int
    size: int
    segment_size: int
    segments: int
    section_size: int
    sections: int
    names: int


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


def without_symbols(path: Path) -> bytes | None:
    """Return what to ship in place of the file `path`; None where it is best left alone."""
    if _CALLED.search(path.name) is None:
        return None
    data = path.read_bytes()
    try:
        end = _loaded_end(data)
    except struct.error:
        return None  # damaged, or no library at all
    if end is None or len(data) - end < LEAST:
        return None
    kept = bytearray(data[:end])
    struct.pack_into("<Q", kept, _SECTIONS_AT, 0)
    struct.pack_into("<HH", kept, _SECTION_COUNT_AT, 0, 0)
    return bytes(kept)


def _loaded_end(data: bytes) -> int | None:
    """Return where the last segment ends, None unless all that lies behind it may go."""
    header = _Header._make(_HEADER.unpack_from(data))
    if header[:4] != (b"\x7fELF", 2, 1, _LIBRARY) or header.segment_size != _SEGMENT.size:
        return None
    end = 0
    for number in range(header.segments):
        _, _, offset, _, _, size, *_ = _SEGMENT.unpack_from(data, header.segments_at + number * _SEGMENT.size)
        end = max(end, offset + size)
    if header.section_size != _SECTION.size or not end <= header.sections_at < len(data):
        return None
    sections = [*_sections(data, header)]
    if not header.names < len(sections):
        return None
    names = sections[header.names]
    known = header.sections_at + header.sections * header.section_size
    for section in sections:
        if section.kind in _NO_BYTES or section.flags & _ALLOCATED:
            continue
        begins = names.offset + section.name
        if not _UNREAD.fullmatch(data[begins : max(begins, data.find(b"\0", begins))]):
            return None
        known = max(known, section.offset + section.size)
    return end if len(data) <= known else None  # what no section holds, somebody has put there


def _sections(data: bytes, header: _Header) -> Iterator[_Section]:
    for number in range(header.sections):
        yield _Section._make(_SECTION.unpack_from(data, header.sections_at + number * _SECTION.size))

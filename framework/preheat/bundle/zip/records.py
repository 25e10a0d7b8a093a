"""The bytes of a zip file that are not content: headers, directory, end. Pure; APPNOTE.TXT 6.3.10, section 4.

The time is the format's first, 1980-01-01, so that nothing depends on when or where it was written.
Fields of 64 bits appear only where 32 do not suffice, which keeps small archives readable everywhere.
"""

import struct
from dataclasses import dataclass

STORED, DEFLATED = 0, 8
FULL_32, FULL_16 = 0xFFFF_FFFF, 0xFFFF
"""A field that holds this refers to its 64-bit form."""

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")

_VERSION, _VERSION_64 = 20, 45
_UNIX = 3
_REGULAR_FILE = 0o100000
_UTF_8 = 0x800
_TIME, _DATE = 0, 1 << 5 | 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file as it lies in the archive: `packed_bytes` of data that make `bytes` when unpacked."""

    path: str
    mode: int
    method: int
    crc: int
    packed_bytes: int
    bytes: int


def local_header(entry: Entry) -> bytes:
    """Return what comes before an entry's data."""
    name, flags = _name(entry)
    large = max(entry.bytes, entry.packed_bytes) >= FULL_32
    sizes = (FULL_32, FULL_32) if large else (entry.packed_bytes, entry.bytes)
    extra = _extra_64(entry.bytes, entry.packed_bytes) if large else b""
    version = _VERSION_64 if large else _VERSION
    fields = (version, flags, entry.method, _TIME, _DATE, entry.crc, *sizes, len(name), len(extra))
    return _LOCAL.pack(b"PK\3\4", *fields) + name + extra


def central_record(entry: Entry, offset: int) -> bytes:
    """Return an entry's record in the directory; its local header lies at `offset`."""
    name, flags = _name(entry)
    large = [value for value in (entry.bytes, entry.packed_bytes, offset) if value >= FULL_32]
    extra = _extra_64(*large) if large else b""
    version = _VERSION_64 if large else _VERSION
    sizes = (min(entry.packed_bytes, FULL_32), min(entry.bytes, FULL_32))
    fields = (version, _UNIX, version, 0, flags, entry.method, _TIME, _DATE, entry.crc, *sizes)
    attributes = (_REGULAR_FILE | entry.mode) << 16
    rest = (len(name), len(extra), 0, 0, 0, attributes, min(offset, FULL_32))
    return _CENTRAL.pack(b"PK\1\2", *fields, *rest) + name + extra


def end_records(count: int, *, start: int, size: int) -> bytes:
    """Return what comes after a directory of `count` records and `size` bytes that begins at `start`."""
    wide = b""
    if count >= FULL_16 or start >= FULL_32 or size >= FULL_32:
        rest = (_VERSION_64, _VERSION_64, 0, 0, count, count, size, start)
        wide = _END_64.pack(b"PK\6\6", _END_64.size - 12, *rest)
        wide += _LOCATOR_64.pack(b"PK\6\7", 0, start + size, 1)
    number = min(count, FULL_16)
    return wide + _END.pack(b"PK\5\6", 0, 0, number, number, min(size, FULL_32), min(start, FULL_32), 0)


def _name(entry: Entry) -> tuple[bytes, int]:
    name = entry.path.encode()
    return name, 0 if name.isascii() else _UTF_8


def _extra_64(*values: int) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)

"""Which shared libraries a file needs: DT_NEEDED of 64-bit little-endian ELF (System V gABI, chapter 5)."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_HEADER = struct.Struct("<4sBB10xHHIQQQIHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_ENTRY = struct.Struct("<qQ")
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRINGS, _STRINGS_SIZE = 1, 5, 10
_LARGEST = 16 << 20


def needed_libraries(path: Path) -> tuple[str, ...]:
    """Return the names that the file `path` needs; nothing for what is no such library, or a damaged one."""
    with path.open("rb") as file:
        try:
            return tuple(_needed(file))
        except (struct.error, ValueError, KeyError):
            return ()


def _needed(file: IO[bytes]) -> Iterator[str]:
    magic, width, order, *_, place, _, _, _, size, count = _HEADER.unpack(file.read(_HEADER.size))
    if magic != b"\x7fELF" or (width, order) != (2, 1) or size != _SEGMENT.size:
        return
    file.seek(place)
    table = file.read(size * count)
    segments = [_SEGMENT.unpack_from(table, index * size) for index in range(count)]
    loaded = [segment for segment in segments if segment[0] == _LOAD]
    for kind, _, offset, _, _, length, *_ in segments:
        if kind == _DYNAMIC:
            entries = [*_ENTRY.iter_unpack(_read(file, offset, length - length % _ENTRY.size))]
            values = dict(entries)
            strings = _read(file, _offset(loaded, values[_STRINGS]), values[_STRINGS_SIZE])
            for tag, value in entries:
                if tag == _NEEDED:
                    yield strings[value : strings.index(b"\0", value)].decode()


def _read(file: IO[bytes], offset: int, length: int) -> bytes:
    if length > _LARGEST:
        raise ValueError("larger than any")
    file.seek(offset)
    return file.read(length)


def _offset(loaded: list[tuple[int, ...]], address: int) -> int:
    """Return where in the file what is loaded at `address` lies."""
    for _, _, offset, start, _, length, *_ in loaded:
        if start <= address < start + length:
            return offset + address - start
    raise ValueError("no segment holds that address")

"""A shared library that runs, with further sections behind everything that is loaded."""

import struct
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SECTIONS_AT, _SECTION_COUNT_AT = 40, 58
_DATA, _STRINGS = 1, 3


def real_library() -> Path:
    """Return the library of orjson, which is installed here."""
    return next(
        Path(str(file.locate())) for file in distribution("orjson").files or () if file.suffix == ".so"
    )


def with_sections(library: bytes, contents: Mapping[str, bytes]) -> bytes:
    """Return `library` with a new table of sections: `contents`, which no process loads, and their names."""
    data = bytearray(library)
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*contents, ".shstrtab"))
    table = [bytes(_SECTION.size)]
    for name, content in (*contents.items(), (".shstrtab", names)):
        kind = _STRINGS if name == ".shstrtab" else _DATA
        called = names.index(b"\0" + name.encode() + b"\0") + 1
        table.append(_SECTION.pack(called, kind, 0, 0, len(data), len(content), 0, 0, 1, 0))
        data += content
    struct.pack_into("<Q", data, _SECTIONS_AT, len(data))
    struct.pack_into("<HHH", data, _SECTION_COUNT_AT, _SECTION.size, len(table), len(table) - 1)
    return bytes(data) + b"".join(table)

"""The protocol's datatypes: values to their bytes in a binary tensor, and back. Pure, without NumPy."""

import struct
from collections.abc import Sequence
from typing import Any

from preheat.errors import BadInput

BYTES = "BYTES"
DTYPES = {
    "bool": "BOOL",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}
"""The datatype of each dtype of preheat.Tensor."""
CODES = {
    "BOOL": "?",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
"""The struct code of each datatype of a fixed size."""

_LENGTH = struct.Struct("<I")


def check_datatype(datatype: object) -> str:
    """Return `datatype`. Raises BadInput unless it is one of those above."""
    if not isinstance(datatype, str) or (datatype != BYTES and datatype not in CODES):
        raise BadInput(f"the datatype {shown(datatype)} is none of {', '.join([*CODES, BYTES])}")
    return datatype


def size_of(datatype: str) -> int:
    """Return the bytes of one element of a datatype that is not BYTES."""
    return struct.calcsize(f"<{CODES[datatype]}")


def pack(datatype: str, values: Sequence[Any]) -> bytes:
    """Return little-endian bytes. Raises BadInput for a value of another type or out of range."""
    if datatype == BYTES:
        parts = [_as_bytes(value) for value in values]
        return b"".join(piece for part in parts for piece in (_LENGTH.pack(len(part)), part))
    allowed, what = _accepted(datatype)
    if not set(map(type, values)) <= allowed:
        odd = next(value for value in values if type(value) not in allowed)
        raise BadInput(f"expected {what}, got {shown(odd)}")
    try:
        return struct.pack(f"<{len(values)}{CODES[datatype]}", *values)
    except (struct.error, OverflowError) as exc:
        odd = next(value for value in values if not _packs(datatype, value))
        raise BadInput(f"{shown(odd)} is out of the range of {datatype}") from exc


def unpack(datatype: str, raw: bytes, count: int) -> list[Any]:
    """Return `count` values, bytes for BYTES. Raises BadInput where `raw` is not exactly so many."""
    if datatype == BYTES:
        return _split(raw, count)
    check_length(datatype, raw, count)
    return list(struct.unpack(f"<{count}{CODES[datatype]}", raw))


def check_length(datatype: str, raw: bytes, count: int) -> None:
    """Raise BadInput unless `raw` is `count` elements of a datatype of a fixed size."""
    needed = count * size_of(datatype)
    if len(raw) != needed:
        raise BadInput(f"{count} elements of {datatype} are {needed} bytes, got {len(raw)}")
    if datatype == "BOOL" and (odd := raw.translate(None, b"\0\1")):
        raise BadInput(f"a byte of BOOL is 0 or 1, got {odd[0]}")


def shown(value: object) -> str:
    """Write a value of the caller's into a message, cut where it is long."""
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    # An integer of the caller's may have more digits than int() likes to write.
    return f"{value:#x}"[:30] if type(value) is int and value.bit_length() > 128 else repr(value)[:60]


def _split(raw: bytes, count: int) -> list[bytes]:
    elements: list[bytes] = []
    at = 0
    while at < len(raw) and len(elements) < count:
        start = at + _LENGTH.size
        if start > len(raw):
            raise BadInput(f"the length of element {len(elements)} is cut off")
        (length,) = _LENGTH.unpack_from(raw, at)
        at = start + length
        if at > len(raw):
            raise BadInput(f"element {len(elements)} has {length} bytes, and {len(raw) - start} follow")
        elements.append(raw[start:at])
    if len(elements) != count or at != len(raw):
        raise BadInput(
            f"expected {count} elements, got {len(elements)} and {len(raw) - at} bytes behind them"
        )
    return elements


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise BadInput(f"expected a string, got {shown(value)}")


def _accepted(datatype: str) -> tuple[set[type], str]:
    if datatype == "BOOL":
        return {bool}, "true or false"
    return ({int, float}, "a number") if datatype.startswith("FP") else ({int}, "an integer")


def _packs(datatype: str, value: Any) -> bool:
    try:
        struct.pack(f"<{CODES[datatype]}", value)
    except (struct.error, OverflowError):
        return False
    return True

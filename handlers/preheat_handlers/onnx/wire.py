"""The wire format of Protocol Buffers, as much of it as ONNX files use: https://protobuf.dev/programming-guides/encoding/.

In: a view of the bytes, which may be a mapped file. Values are passed over, not copied, so that a model of
gigabytes is read as fast as a small one.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class NotProtobuf(ValueError):
    """The bytes end within a field, or have one of an unknown kind."""


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the number of each field of one message with its value. Raises NotProtobuf."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise NotProtobuf(f"a field of kind {kind} at byte {at}")
        if at + size > end:
            raise NotProtobuf(f"a field of {size} bytes at byte {at} of {end}")
        yield key >> 3, data[at : at + size]
        at += size


def inner(data: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the messages and texts in the field `number` of one message."""
    for found, value in fields(data):
        if found == number and isinstance(value, memoryview):
            yield value


def text(data: memoryview, number: int) -> str:
    """Return the last text in the field `number`, empty without one."""
    found = ""
    for value in inner(data, number):
        found = str(value, "utf-8", "replace")
    return found


def whole(data: memoryview, number: int) -> int:
    """Return the last integer in the field `number`, 0 without one."""
    found = 0
    for key, value in fields(data):
        if key == number and isinstance(value, int):
            found = value
    return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    try:
        while (byte := data[at]) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            at += 1
    except IndexError as exc:
        raise NotProtobuf("the bytes end within a number") from exc
    return value | byte << shift, at + 1

"""Null, booleans, numbers, text, bytes and any JSON: the leaves."""

import binascii
from math import isfinite
from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Part, Reading
from preheat.interface.nodes.words import expected, returned
from preheat.interface.place import Place

ANYTHING = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


def plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python value it holds, and anything else as it is."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()
    return value


def check_text(value: str, place: Place) -> str:
    """Return `value`, which UTF-8 must be able to write. Raises Misfit."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Misfit(place, "expected text, got a string with a lone surrogate") from None
    return value


def read_null(value: Any, place: Place, reading: Reading) -> None:
    """Read null."""
    if value is not None:
        reading.wrong(place, expected("null", value))


def write_null(value: Any, place: Place) -> None:
    """Write None."""
    if value is not None:
        raise Misfit(place, returned("None", value))


def read_bool(value: Any, place: Place, reading: Reading) -> Any:
    """Read true or false; numbers are neither."""
    return (
        value if value is True or value is False else reading.wrong(place, expected("true or false", value))
    )


def write_bool(value: Any, place: Place) -> bool:
    """Write a bool."""
    value = plain(value)
    if value is True or value is False:
        return bool(value)
    raise Misfit(place, returned("bool", value))


def read_int(value: Any, place: Place, reading: Reading) -> Any:
    """Read an integer; 1.0 is one (JSON Schema 2020-12, 6.1.1)."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    return reading.wrong(place, expected("an integer", value))


def write_int(value: Any, place: Place) -> int:
    """Write an int; a bool is none."""
    if type(value) is int:
        return value
    value = plain(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise Misfit(place, returned("int", value))


def read_float(value: Any, place: Place, reading: Reading) -> Any:
    """Read a number as a finite float."""
    if type(value) is float and isfinite(value):
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return reading.wrong(place, "expected a number within the range of a 64-bit float")
    return reading.wrong(place, expected("a finite number", value))


def write_float(value: Any, place: Place) -> float:
    """Write a finite float; an int becomes one."""
    value = plain(value)
    if isinstance(value, float | int) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            raise Misfit(place, "expected float, got an int beyond its range") from None
        if isfinite(number):
            return number
    raise Misfit(place, returned("a finite float", value))


def read_text(value: Any, place: Place, reading: Reading) -> Any:
    """Read a string."""
    return value if type(value) is str else reading.wrong(place, expected("a string", value))


def write_text(value: Any, place: Place) -> str:
    """Write a str that UTF-8 can hold."""
    if isinstance(value, str):
        return check_text(str.__str__(value), place)
    raise Misfit(place, returned("str", value))


def read_bytes(value: Any, place: Place, reading: Reading) -> Any:
    """Read base64 (RFC 4648 section 4, padded), or bytes that came raw."""
    if type(value) is Part:
        return value.data
    if type(value) is not str:
        return reading.wrong(place, expected("bytes in base64", value))
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        return reading.wrong(place, "expected bytes in base64 with padding and without line breaks")


def write_bytes(value: Any, place: Place) -> str:
    """Write bytes as base64."""
    if isinstance(value, bytes):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    raise Misfit(place, returned("bytes", value))


def read_any(value: Any, place: Place, reading: Reading) -> Any:
    """Read any JSON as it is."""
    try:
        return write_any(value, place)
    except Misfit as misfit:
        return reading.wrong(misfit.place, misfit.detail)


def write_any(value: Any, place: Place) -> Any:
    """Write what JSON can hold, unchanged but for NumPy's scalars."""
    value = plain(value)
    match value:
        case None | bool():
            return value
        case str():
            return check_text(value, place)
        case int():
            return value
        case float() if isfinite(value):
            return value
        case list():
            return [write_any(item, (place, index)) for index, item in enumerate(value)]
        case dict():
            for key in value:
                if not isinstance(key, str):
                    raise Misfit(place, returned("an object with str keys", key))
            return {check_text(key, place): write_any(item, (place, key)) for key, item in value.items()}
    raise Misfit(place, returned("a JSON value", value))


def all_bools(values: list[Any]) -> bool:
    """Tell whether all are bools."""
    return set(map(type, values)) <= {bool}


def all_ints(values: list[Any]) -> bool:
    """Tell whether all are ints."""
    return set(map(type, values)) <= {int}


def all_floats(values: list[Any]) -> bool:
    """Tell whether all are finite floats."""
    return set(map(type, values)) <= {float} and all(map(isfinite, values))


def all_texts(values: list[Any]) -> bool:
    """Tell whether all are strings without a character beyond ASCII, which need no further look."""
    return set(map(type, values)) <= {str} and all(map(str.isascii, values))


def _leaf(name: str, schema: dict[str, Any], kind: str, **rest: Any) -> Node:
    return Node(name=name, schema=schema, reads=frozenset({kind}), **rest)


def null() -> Node:
    """Compile None."""
    return _leaf(
        "None",
        {"type": "null"},
        "null",
        read=read_null,
        write=write_null,
        matches=lambda value: value is None,
    )


def boolean() -> Node:
    """Compile bool."""
    return _leaf(
        "bool",
        {"type": "boolean"},
        "boolean",
        read=read_bool,
        write=write_bool,
        matches=lambda value: isinstance(plain(value), bool),
        bulk=all_bools,
    )


def integer() -> Node:
    """Compile int."""
    return _leaf(
        "int",
        {"type": "integer"},
        "integer",
        read=read_int,
        write=write_int,
        matches=lambda value: isinstance(plain(value), int) and not isinstance(plain(value), bool),
        bulk=all_ints,
    )


def number() -> Node:
    """Compile float."""
    return _leaf(
        "float",
        {"type": "number"},
        "number",
        read=read_float,
        write=write_float,
        matches=lambda value: isinstance(plain(value), float | int) and not isinstance(plain(value), bool),
        bulk=all_floats,
    )


def text() -> Node:
    """Compile str."""
    return _leaf(
        "str",
        {"type": "string"},
        "string",
        read=read_text,
        write=write_text,
        matches=lambda value: isinstance(value, str),
        bulk=all_texts,
        sized="Length",
    )


def octets() -> Node:
    """Compile bytes."""
    return _leaf(
        "bytes",
        {"type": "string", "contentEncoding": "base64"},
        "string",
        read=read_bytes,
        write=write_bytes,
        matches=lambda value: isinstance(value, bytes),
        media=("*/*",),
        sized="",
    )


def anything() -> Node:
    """Compile Any: whatever JSON can say."""
    return Node(name="Any", schema={}, read=read_any, write=write_any, reads=ANYTHING, matches=lambda _: True)

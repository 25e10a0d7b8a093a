"""JSON text, read strictly (RFC 8259) and written compactly.

Writing is orjson's: it takes a row of numbers, a NumPy array too, twenty times faster than the
standard library. Reading is the standard library's, which can be made to refuse what is ambiguous;
orjson reads long bodies first where the outcome is provably the same.
"""

import json
import re
from collections.abc import Callable
from functools import cache, partial
from math import isfinite
from typing import Any

from preheat.errors import BadInput, HandlerFailed

_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_REST = bytes(set(range(256)) - set(b"[]{}"))
_NUMERALS = bytes(48 if byte in b"0123456789" else 46 if byte == 46 else 32 for byte in range(256))
_HUGE = b"0" * 19
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


LONG_BYTES = 2048
"""From this length on, reading with orjson and proving its outcome is faster than reading strictly."""

MANY = 1_000_000
"""How many arrays and objects a body may hold. Making them takes half a second, and other threads wait."""
BYTES_EACH = 16
"""A body so large that this allows more of them may hold one for so many bytes."""


def read_json(body: bytes, *, depth: int) -> Any:
    """Return the value in `body`.

    Raises BadInput for what is no UTF-8 or no JSON, for NaN and infinities, for a key that stands
    twice in one object, for lone surrogates, for nesting beyond `depth`, and for too many arrays and objects.
    """
    if not body or body.isspace():
        raise BadInput("The body is empty; expected JSON.")
    if len(body) > MANY and more_than(body, most := max(MANY, len(body) // BYTES_EACH)):
        raise BadInput(f"The JSON has more than {most} arrays and objects.")
    if deeper_than(body, depth):
        raise BadInput(f"The JSON is nested deeper than {depth} levels, or its brackets do not match.")
    text = read_text(body)
    if len(body) > LONG_BYTES and (found := _read_long(body)) is not None:
        return found
    try:
        value = _decode(text)
        if _SURROGATE.search(body):
            _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise BadInput("The JSON has a string with a lone surrogate, which is no text.") from exc
    except json.JSONDecodeError as exc:
        raise BadInput(f"The body is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}.") from exc
    except ValueError as exc:
        reason = str(exc).partition("; use sys.")[0]  # which is for who runs Python
        raise BadInput(f"The body is not JSON that can be read: {reason}.") from exc
    except RecursionError as exc:
        raise BadInput("The JSON is nested too deeply.") from exc
    return value


def read_text(body: bytes) -> str:
    """Return `body` as text. Raises BadInput where it is no UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadInput(f"The body is not UTF-8: byte {exc.start} is 0x{body[exc.start]:02x}.") from exc


def _decode(text: str) -> Any:
    try:
        value, end = _DECODER.raw_decode(text)
        if end == len(text):
            return value
    except json.JSONDecodeError:
        pass
    return _DECODER.decode(text)  # which skips white space around, and says what is wrong


def write_json(value: Any) -> bytes:
    """Return `value`, in which NumPy arrays may stand for lists, as compact JSON.

    Raises HandlerFailed for what JSON cannot hold.
    """
    try:
        text = _writer()(value)
    except TypeError:
        return _write_slowly(value)  # integers beyond 64 bits, or what no JSON can hold
    if b"n" in text and b"null" in text and not _finite(value):
        raise HandlerFailed("The result cannot be written as JSON, which has no NaN and no infinity.")
    return text


def _write_slowly(value: Any) -> bytes:
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except (ValueError, TypeError, RecursionError) as exc:
        raise HandlerFailed("The result cannot be written as JSON.") from exc


def _finite(value: Any) -> bool:
    if type(value) is dict:
        return all(map(_finite, value.values()))
    if type(value) is list:
        return all(map(_finite, value))
    return not isinstance(value, float) or isfinite(value)


@cache
def _writer() -> Callable[[Any], bytes]:
    import orjson  # 2 to 4 ms, at the first answer

    strict = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
    return partial(orjson.dumps, option=orjson.OPT_SERIALIZE_NUMPY | strict)


@cache
def _reader() -> Callable[[bytes], Any]:
    import orjson

    return orjson.loads


def _read_long(body: bytes) -> Any:
    """Return the value in `body` if it is certain that a strict reader finds the same, otherwise None.

    orjson keeps the last of two keys that are the same and makes floats of huge integers; the count
    of keys and of digits rules both out. A key that is not counted here only costs the slower way.
    """
    if _has_huge_integer(body):
        return None
    try:
        value = _reader()(body)
    except ValueError:
        return None  # the strict reader says what is wrong
    colons = _STRINGS.sub(b"", body).count(b":")
    return value if _keys(value) == colons else None


def _has_huge_integer(body: bytes) -> bool:
    """Tell whether 19 digits stand in a row that is no fraction; 2**63 has as many."""
    numerals = body.translate(_NUMERALS)
    at = numerals.find(_HUGE)
    while at >= 0:
        if numerals[at - 1 : at] != b".":
            return True
        end = numerals.find(b" ", at)
        at = numerals.find(_HUGE, end) if end >= 0 else -1
    return False


def _keys(value: Any) -> int:
    """Count the keys of objects, in arrays only where the first entry is an object or an array."""
    if type(value) is dict:
        return len(value) + sum(map(_keys, value.values()))
    if type(value) is list and value and type(value[0]) in (dict, list):
        return sum(map(_keys, value))
    return 0


def more_than(body: bytes, most: int) -> bool:
    """Tell, without parsing, whether more than `most` arrays and objects begin; each step is linear, in C."""
    if body.count(b"[") + body.count(b"{") <= most:
        return False
    outside = _STRINGS.sub(b"", body)
    return outside.count(b"[") + outside.count(b"{") > most


def deeper_than(body: bytes, depth: int) -> bool:
    """Tell, without parsing, whether brackets nest deeper than `depth`; every step is a linear one in C."""
    if body.count(b"[") + body.count(b"{") <= depth:
        return False
    brackets = _STRINGS.sub(b"", body).translate(_BRACKETS, _REST)
    for _ in range(depth):
        inner = brackets.replace(b"[]", b"")
        if len(inner) == len(brackets):
            break
        brackets = inner
    # Whole pairs left are deeper; opening brackets left alone are a body that was cut off.
    return b"[]" in brackets or brackets.count(b"[") > depth


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key[:80]!r} stands twice in one object")
            seen.add(key)
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

"""JSON text, read strictly (RFC 8259) and written compactly."""

import json
import re
from typing import Any

from preheat.errors import BadInput, HandlerFailed

_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_REST = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(body: bytes, *, depth: int) -> Any:
    """Return the value in `body`.

    Raises BadInput for what is no UTF-8 or no JSON, for NaN and infinities, for a key that stands
    twice in one object, for lone surrogates, and for nesting beyond `depth`.
    """
    if not body or body.isspace():
        raise BadInput("The body is empty; expected JSON.")
    if deeper_than(body, depth):
        raise BadInput(f"The JSON is nested deeper than {depth} levels, or its brackets do not match.")
    text = read_text(body)
    try:
        value = _DECODER.decode(text)
        if _SURROGATE.search(body):
            _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise BadInput("The JSON has a string with a lone surrogate, which is no text.") from exc
    except json.JSONDecodeError as exc:
        raise BadInput(f"The body is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}.") from exc
    except ValueError as exc:
        raise BadInput(f"The body is not JSON that can be read: {exc}.") from exc
    except RecursionError as exc:
        raise BadInput("The JSON is nested too deeply.") from exc
    return value


def read_text(body: bytes) -> str:
    """Return `body` as text. Raises BadInput where it is no UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadInput(f"The body is not UTF-8: byte {exc.start} is 0x{body[exc.start]:02x}.") from exc


def write_json(value: Any) -> bytes:
    """Return `value` as compact JSON. Raises HandlerFailed for what JSON cannot hold."""
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except (ValueError, TypeError, RecursionError) as exc:
        raise HandlerFailed("The result cannot be written as JSON.") from exc


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

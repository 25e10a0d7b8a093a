"""How a value is named in a message to the person who sent it."""

import math
from typing import Any

from preheat.interface.nodes.node import Part

MAX_SHOWN = 40


def told(value: Any) -> str:
    """Describe a JSON value in a few words: what it is and, where it is short, which."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() if abs(value) > 10**MAX_SHOWN:
            return "a huge integer"
        case int():
            return f"the integer {value}"
        case float() if not math.isfinite(value):
            return "a number that is not finite"
        case float():
            return f"the number {value!r}"
        case str() if len(value) <= MAX_SHOWN:
            return f"the string {value!r}"
        case str():
            return f"a string of {len(value)} characters"
        case list():
            return f"an array of {len(value)}"
        case dict():
            return "an object"
        case Part():
            return f"bytes of type {value.media_type}"
    return type(value).__name__


def expected(what: str, value: Any) -> str:
    """Say that a JSON value is not `what`."""
    return f"expected {what}, got {told(value)}"


def returned(what: str, value: Any) -> str:
    """Say that a Python value is not `what`; only its type is named, for its content is not the reader's."""
    kind = type(value)
    if kind is float and not math.isfinite(value):
        return f"expected {what}, got {value}"
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"expected {what}, got {name}"


def nearest(name: str, known: "list[str] | tuple[str, ...]", cutoff: float = 0.6) -> str | None:
    """Return the one of `known` that `name` is likely meant to be."""
    from difflib import get_close_matches  # 2 ms, and only mistakes pay them

    folded = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower()[:100], list(folded), n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def unknown_key(key: str, known: "list[str] | tuple[str, ...]") -> str:
    """Say that an object has a key it must not have, with the nearest that it may."""
    near = nearest(key, known)
    if near is not None:
        return f"unknown key; did you mean {near!r}?"
    return f"unknown key; known are {', '.join(map(repr, known))}" if known else "unknown key; none is known"

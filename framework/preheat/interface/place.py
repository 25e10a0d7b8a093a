"""Where a value stands inside a JSON document, built cheaply and written out only for an error."""

from typing import Any

Place = tuple[Any, str | int] | None
"""The place of the parent and the key below it; None is the root."""


def pointer(place: Place) -> str:
    """Return `place` as a JSON pointer (RFC 6901); the root is the empty string."""
    parts: list[str] = []
    while place is not None:
        place, key = place
        parts.append(str(key).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in reversed(parts))

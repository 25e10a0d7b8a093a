"""The defaults of dataclass fields: which there are, whether they fit, and what a schema may say of them."""

from collections.abc import Iterator
from dataclasses import MISSING, Field
from typing import Any

from preheat.interface.nodes.node import Misfit, Node


def is_required(entry: Field[Any]) -> bool:
    """Tell whether the field must be given."""
    return entry.default is MISSING and entry.default_factory is MISSING


def field_mistakes(entry: Field[Any], node: Node) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a field apart from its type, each with what to write instead."""
    if not entry.init:
        yield (
            "a field with init=False cannot be read back from JSON",
            f"{entry.name}: ...  # without field(init=False), or as a property",
        )
    if entry.default is MISSING:
        return
    try:
        node.write(entry.default, None)
    except Misfit as misfit:
        fix = f"{entry.name}: {node.name}"
        yield (
            f"the default {entry.default!r} does not fit: {misfit.detail}",
            f"{fix} | None = None" if entry.default is None else fix,
        )


def written_default(entry: Field[Any], node: Node) -> dict[str, Any]:
    """Return `{name: JSON value}` where the default is known and always the same, else nothing."""
    value = entry.default_factory() if entry.default_factory in (list, dict, tuple) else entry.default
    if value is MISSING:
        return {}
    try:
        return {entry.name: node.write(value, None)}
    except Misfit:
        return {}

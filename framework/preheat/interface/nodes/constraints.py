"""Bounds in `Annotated[...]`, read by their attributes: annotated-types is honoured, and never imported."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Reading
from preheat.interface.place import Place

_NUMBERS = frozenset({"integer", "number"})


@dataclass(frozen=True, slots=True)
class Bound:
    """One constraint: its JSON Schema keyword (None where JSON Schema cannot say it) and what it demands."""

    keyword: str | None
    value: Any
    holds: Callable[[Any], bool]
    demand: str


class DoesNotApply(Exception):
    """A constraint stands on a type that it means nothing for."""


def bounds(node: Node, metadata: Iterable[object]) -> Iterator[Bound]:
    """Yield what `metadata` demands of the values of `node`. Raises DoesNotApply."""
    for entry in metadata:
        if isinstance(entry, str | type):
            continue
        for attribute in (*_COMPARISONS, "multiple_of", "min_length", "max_length", "pattern"):
            wanted = getattr(entry, attribute, None)
            if wanted is not None and not (attribute == "min_length" and wanted == 0):
                yield _bound(node, attribute, wanted)
        if type(entry).__module__ == "annotated_types" and callable(accepts := getattr(entry, "func", None)):
            name = getattr(accepts, "__qualname__", repr(accepts))
            yield Bound(None, accepts, accepts, f"a value that {name} accepts")
        inner = getattr(entry, "metadata", None)
        if isinstance(inner, list | tuple):
            yield from bounds(node, inner)


_COMPARISONS: dict[str, tuple[str, str, Callable[[Any, Any], bool]]] = {
    "ge": ("minimum", "at least", lambda value, bound: bool(value >= bound)),
    "gt": ("exclusiveMinimum", "greater than", lambda value, bound: bool(value > bound)),
    "le": ("maximum", "at most", lambda value, bound: bool(value <= bound)),
    "lt": ("exclusiveMaximum", "less than", lambda value, bound: bool(value < bound)),
}


def _bound(node: Node, attribute: str, wanted: Any) -> Bound:
    kind = next(iter(node.reads)) if len(node.reads) == 1 else ""
    if attribute in _COMPARISONS and kind in _NUMBERS and type(wanted) in (int, float):
        keyword, words, holds = _COMPARISONS[attribute]
        return Bound(keyword, wanted, lambda value: holds(value, wanted), f"{words} {wanted}")
    if attribute == "multiple_of" and kind in _NUMBERS and type(wanted) in (int, float) and wanted > 0:
        return Bound(
            "multipleOf", wanted, lambda value: _is_multiple(value, wanted), f"a multiple of {wanted}"
        )
    if attribute in ("min_length", "max_length") and node.sized is not None and type(wanted) is int:
        sized = f"{attribute[:3]}{node.sized}" if node.sized else None
        if attribute == "min_length":
            return Bound(sized, wanted, lambda value: len(value) >= wanted, f"a length of at least {wanted}")
        return Bound(sized, wanted, lambda value: len(value) <= wanted, f"a length of at most {wanted}")
    if attribute == "pattern" and node.name == "str":
        compiled = re.compile(getattr(wanted, "pattern", wanted))
        return Bound(
            "pattern",
            compiled.pattern,
            lambda value: compiled.search(value) is not None,
            f"a match of {compiled.pattern}",
        )
    raise DoesNotApply(f"{attribute}={wanted!r} does not apply to {node.name}")


def _is_multiple(value: Any, of: Any) -> bool:
    if isinstance(value, int) and isinstance(of, int):
        return value % of == 0
    try:
        quotient = value / of
    except OverflowError:  # one of them is an integer beyond all floats
        (above, below), (step, parts) = value.as_integer_ratio(), of.as_integer_ratio()
        return bool(above * parts % (below * step) == 0)
    return bool(quotient == int(quotient)) if abs(quotient) < 2**53 else value % of == 0


def constrained(node: Node, demanded: list[Bound]) -> Node:
    """Return `node` with `demanded` checked in both directions."""
    read_inner, write_inner = node.read, node.write

    def unmet(value: Any) -> str | None:
        return next((bound.demand for bound in demanded if not bound.holds(value)), None)

    def read(value: Any, place: Place, reading: Reading) -> Any:
        before = len(reading.mistakes)
        found = read_inner(value, place, reading)
        if len(reading.mistakes) == before and (demand := unmet(found)) is not None:
            return reading.wrong(place, f"expected {demand}")
        return found

    def write(value: Any, place: Place) -> Any:
        written = write_inner(value, place)
        if (demand := unmet(value)) is not None:
            raise Misfit(place, f"expected {demand}")
        return written

    schema = node.schema | {bound.keyword: bound.value for bound in demanded if bound.keyword}
    return replace(node, schema=schema, read=read, write=write, bulk=None)

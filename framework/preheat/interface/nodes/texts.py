"""Python values whose JSON form is a string of a known format: dates, times, UUIDs and decimals."""

from collections.abc import Callable
from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Reading
from preheat.interface.nodes.words import expected, returned
from preheat.interface.place import Place


def written_as(
    kind: type,
    what: str,
    schema: dict[str, Any],
    parse: Callable[[str], Any],
    show: Callable[[Any], str] = str,
) -> Node:
    """Compile `kind`. `parse` and `show` raise ValueError for what the format excludes."""

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is str:
            try:
                return parse(value)
            except (ValueError, ArithmeticError):
                pass
        return reading.wrong(place, expected(what, value))

    def write(value: Any, place: Place) -> str:
        if isinstance(value, kind):
            try:
                return show(value)
            except ValueError as exc:
                raise Misfit(place, str(exc)) from exc
        raise Misfit(place, returned(kind.__qualname__, value))

    return Node(
        name=kind.__qualname__,
        schema={"type": "string", **schema},
        read=read,
        write=write,
        reads=frozenset({"string"}),
        matches=lambda value: isinstance(value, kind),
    )


def date_time(kind: type) -> Node:
    """Compile datetime.datetime: RFC 3339, which always has an offset."""

    def aware(value: Any) -> Any:
        if value.utcoffset() is None:
            raise ValueError("expected a datetime with a timezone, got a naive one")
        return value

    return written_as(
        kind,
        "a date and time with an offset, such as 2025-01-31T12:00:00+00:00",
        {"format": "date-time"},
        lambda text: aware(kind.fromisoformat(text)),  # type: ignore[attr-defined]
        lambda value: str(aware(value).isoformat()),
    )


def date(kind: type) -> Node:
    """Compile datetime.date."""
    return written_as(
        kind,
        "a date such as 2025-01-31",
        {"format": "date"},
        kind.fromisoformat,  # type: ignore[attr-defined]
        lambda value: str(value.isoformat()),
    )


def uuid(kind: type) -> Node:
    """Compile uuid.UUID."""
    return written_as(kind, "a UUID", {"format": "uuid"}, kind)


def decimal(kind: type) -> Node:
    """Compile decimal.Decimal: a string, for a JSON number would lose digits."""

    def finite(value: Any) -> Any:
        if not value.is_finite():
            raise ValueError(f"expected a finite decimal, got {value}")
        return value

    return written_as(
        kind,
        'a decimal in a string, such as "1.50"',
        {"pattern": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"},
        lambda text: finite(kind(text)),
        lambda value: str(finite(value)),
    )


TEXTS: dict[str, Callable[[type], Node]] = {
    "datetime.datetime": date_time,
    "datetime.date": date,
    "uuid.UUID": uuid,
    "decimal.Decimal": decimal,
}
"""By module and name, so that nothing imports these modules before the user does."""

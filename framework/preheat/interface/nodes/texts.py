"""Python values whose JSON form is a string of a known format: dates, times, UUIDs and decimals."""

import re
from collections.abc import Callable
from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Reading
from preheat.interface.nodes.words import MAX_SHOWN, expected, returned
from preheat.interface.place import Place

# What JSON Schema's formats admit; Python's parsers take more, such as week dates, braces and underscores.
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATE_TIME = rf"{_DATE}[Tt][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]+)?([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})"
_UUID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# A larger exponent is no price: int() of it would not end.
_DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?"


def written_as(
    kind: type,
    what: str,
    pattern: str,
    schema: dict[str, Any],
    parse: Callable[[str], Any],
    show: Callable[[Any], str] = str,
) -> Node:
    """Compile `kind`, whose text matches `pattern`. `parse` and `show` raise ValueError beyond that."""
    matches = re.compile(pattern).fullmatch

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is str and matches(value):
            try:
                return parse(value)
            except (ValueError, ArithmeticError):
                pass
        return reading.wrong(place, expected(what, value))

    def write(value: Any, place: Place) -> str:
        if isinstance(value, kind):
            try:
                text = show(value)
            except ValueError as exc:
                raise Misfit(place, str(exc)) from exc
            if not matches(text):
                raise Misfit(place, f"expected {what}, got {text[:MAX_SHOWN]!r}")
            return text
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
        _DATE_TIME,
        {"format": "date-time"},
        lambda text: aware(kind.fromisoformat(text.upper())),  # type: ignore[attr-defined]
        lambda value: str(aware(value).isoformat()),
    )


def date(kind: type) -> Node:
    """Compile datetime.date."""
    return written_as(
        kind,
        "a date such as 2025-01-31",
        _DATE,
        {"format": "date"},
        kind.fromisoformat,  # type: ignore[attr-defined]
        lambda value: str(value.isoformat()),
    )


def uuid(kind: type) -> Node:
    """Compile uuid.UUID."""
    return written_as(kind, "a UUID", _UUID, {"format": "uuid"}, kind)


def decimal(kind: type) -> Node:
    """Compile decimal.Decimal: a string, for a JSON number would lose digits."""

    def finite(value: Any) -> Any:
        if not value.is_finite():
            raise ValueError(f"expected a finite decimal, got {value}")
        return value

    return written_as(
        kind,
        'a decimal in a string, such as "1.50"',
        _DECIMAL,
        {"pattern": f"^{_DECIMAL}$"},
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

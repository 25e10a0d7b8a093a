"""Literal and Enum: one of a few values."""

from enum import Enum
from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Reading
from preheat.interface.nodes.words import expected, nearest, returned
from preheat.interface.place import Place

_KINDS = {type(None): "null", bool: "boolean", int: "integer", str: "string"}


def one_of(name: str, values: list[tuple[Any, Any]]) -> Node:
    """Compile a choice; `values` pairs Python values with their JSON: null, booleans, integers and strings.

    Raises ValueError for a form that is none of these.
    """
    for _, form in values:
        if type(form) not in _KINDS:
            raise ValueError(f"{form!r} is no JSON null, boolean, integer or string")
    # By type as well, for True == 1 in Python and not in JSON.
    to_python = {(type(form), form): value for value, form in values}
    to_json = {(type(value), value): form for value, form in values}
    forms = [form for _, form in values]
    what = f"one of {', '.join(map(repr, forms))}"

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is float and value.is_integer():
            value = int(value)
        key = (type(value), value) if type(value) in _KINDS else None
        if key in to_python:
            return to_python[key]
        near = nearest(value, [form for form in forms if type(form) is str]) if type(value) is str else None
        hint = f"; did you mean {near!r}?" if near else ""
        return reading.wrong(place, expected(what, value) + hint)

    def write(value: Any, place: Place) -> Any:
        try:
            return to_json[type(value), value]
        except (KeyError, TypeError):
            raise Misfit(place, returned(what, value)) from None

    def matches(value: Any) -> bool:
        try:
            return (type(value), value) in to_json
        except TypeError:
            return False

    return Node(
        name=name,
        schema={"enum": forms},
        read=read,
        write=write,
        reads=frozenset(_KINDS[type(form)] for form in forms),
        matches=matches,
    )


def literal(arguments: tuple[Any, ...]) -> Node:
    """Compile `Literal[arguments]`. Raises ValueError for a literal that JSON cannot hold."""
    values = [
        (argument, argument.value if isinstance(argument, Enum) else argument) for argument in arguments
    ]
    return one_of(f"Literal[{', '.join(map(repr, arguments))}]", values)


def enumeration(kind: type[Enum]) -> Node:
    """Compile an Enum by its members' values. Raises ValueError for a value that JSON cannot hold."""
    return one_of(kind.__qualname__, [(member, member.value) for member in kind])

"""Dataclasses and TypedDicts: objects with known keys."""

from collections.abc import Callable, Mapping
from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Read, Reading
from preheat.interface.nodes.words import expected, returned, unknown_key
from preheat.interface.place import Place


def reader(
    name: str, fields: Mapping[str, Node], required: frozenset[str], build: Callable[[dict[str, Any]], Any]
) -> Read:
    """Return what reads an object. `build` makes the Python value; its ValueError is the caller's mistake."""
    reads = {key: node.read for key, node in fields.items()}
    known = list(fields)

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is not dict:
            return reading.wrong(place, expected(f"an object ({name})", value))
        before = len(reading.mistakes)
        found = {}
        for key, entry in value.items():
            read_field = reads.get(key)
            if read_field is None:
                reading.wrong((place, key), unknown_key(key, known))
            else:
                found[key] = read_field(entry, (place, key), reading)
        if not required <= found.keys():
            for key in known:
                if key in required and key not in found:
                    reading.wrong(place, f"{key!r} is missing")
        if len(reading.mistakes) != before:
            return None
        try:
            return build(found)
        except ValueError as exc:
            return reading.wrong(place, str(exc)[:500])

    return read


def record(kind: type, fields: Mapping[str, Node], required: frozenset[str]) -> Node:
    """Compile a dataclass."""
    writes = [(key, node.write) for key, node in fields.items()]

    def write(value: Any, place: Place) -> dict[str, Any]:
        if not isinstance(value, kind):
            raise Misfit(place, returned(kind.__qualname__, value))
        return {key: write_field(getattr(value, key), (place, key)) for key, write_field in writes}

    return Node(
        name=kind.__qualname__,
        schema={},
        read=reader(kind.__qualname__, fields, required, lambda found: kind(**found)),
        write=write,
        reads=frozenset({"object"}),
        matches=lambda value: type(value) is kind,
        fields=fields,
    )


def typed_dict(kind: type, fields: Mapping[str, Node], required: frozenset[str]) -> Node:
    """Compile a TypedDict."""
    writes = {key: node.write for key, node in fields.items()}

    def write(value: Any, place: Place) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Misfit(place, returned(f"dict ({kind.__qualname__})", value))
        for key in value:
            if key not in writes:
                raise Misfit((place, str(key)), unknown_key(str(key), list(writes)))
        for key in sorted(required - value.keys()):
            raise Misfit(place, f"{key!r} is missing")
        return {key: writes[key](entry, (place, key)) for key, entry in value.items()}

    return Node(
        name=kind.__qualname__,
        schema={},
        read=reader(kind.__qualname__, fields, required, lambda found: found),
        write=write,
        reads=frozenset({"object"}),
        matches=lambda value: isinstance(value, dict),
        fields=fields,
    )


def object_schema(
    title: str,
    description: str | None,
    fields: Mapping[str, Node],
    required: frozenset[str],
    defaults: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the schema of an object that takes no other key."""
    properties = {
        key: node.schema | ({"default": defaults[key]} if key in defaults else {})
        for key, node in fields.items()
    }
    schema: dict[str, Any] = {"type": "object", "title": title}
    if description:
        schema["description"] = description
    schema["properties"] = properties
    if required:
        schema["required"] = [key for key in fields if key in required]
    schema["additionalProperties"] = False
    return schema

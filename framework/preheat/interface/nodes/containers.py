"""list, tuple and dict."""

from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Reading
from preheat.interface.nodes.scalars import check_text
from preheat.interface.nodes.words import expected, returned
from preheat.interface.place import Place


def array(item: Node) -> Node:
    """Compile `list[item]`."""
    read_item, write_item, bulk = item.read, item.write, item.bulk

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is not list:
            return reading.wrong(place, expected("an array", value))
        if bulk is not None and bulk(value):
            return value
        return [read_item(entry, (place, index), reading) for index, entry in enumerate(value)]

    def write(value: Any, place: Place) -> Any:
        if not isinstance(value, list):
            raise Misfit(place, returned("list", value))
        if bulk is not None and bulk(value):
            return value
        return [write_item(entry, (place, index)) for index, entry in enumerate(value)]

    return Node(
        name=f"list[{item.name}]",
        schema={"type": "array", "items": item.schema},
        read=read,
        write=write,
        reads=frozenset({"array"}),
        matches=lambda value: isinstance(value, list),
        item=item,
        sized="Items",
    )


def sequence(item: Node) -> Node:
    """Compile `tuple[item, ...]`."""
    inner = array(item)

    def read(value: Any, place: Place, reading: Reading) -> Any:
        entries = inner.read(value, place, reading)
        return None if entries is None else tuple(entries)

    def write(value: Any, place: Place) -> Any:
        if not isinstance(value, tuple):
            raise Misfit(place, returned("tuple", value))
        return inner.write(list(value), place)

    return Node(
        name=f"tuple[{item.name}, ...]",
        schema=inner.schema,
        read=read,
        write=write,
        reads=inner.reads,
        matches=lambda value: isinstance(value, tuple),
        item=item,
        sized="Items",
    )


def fixed(items: tuple[Node, ...]) -> Node:
    """Compile `tuple[A, B]`: exactly as many, each of its own type."""
    size = len(items)

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is not list:
            return reading.wrong(place, expected("an array", value))
        if len(value) != size:
            return reading.wrong(place, f"expected an array of {size}, got one of {len(value)}")
        return tuple(
            item.read(entry, (place, index), reading)
            for index, (item, entry) in enumerate(zip(items, value, strict=True))
        )

    def write(value: Any, place: Place) -> Any:
        if not isinstance(value, tuple):
            raise Misfit(place, returned("tuple", value))
        if len(value) != size:
            raise Misfit(place, f"expected a tuple of {size}, got one of {len(value)}")
        return [
            item.write(entry, (place, index))
            for index, (item, entry) in enumerate(zip(items, value, strict=True))
        ]

    schema: dict[str, Any] = {"type": "array", "maxItems": size}
    if items:  # prefixItems may not be empty (JSON Schema 2020-12, 10.3.1.1)
        schema |= {"minItems": size, "prefixItems": [item.schema for item in items]}
    return Node(
        name=f"tuple[{', '.join(item.name for item in items) or '()'}]",
        schema=schema,
        read=read,
        write=write,
        reads=frozenset({"array"}),
        matches=lambda value: isinstance(value, tuple),
    )


def mapping(item: Node) -> Node:
    """Compile `dict[str, item]`."""
    read_item, write_item = item.read, item.write

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is not dict:
            return reading.wrong(place, expected("an object", value))
        return {key: read_item(entry, (place, key), reading) for key, entry in value.items()}

    def write(value: Any, place: Place) -> Any:
        if not isinstance(value, dict):
            raise Misfit(place, returned("dict", value))
        out = {}
        for key, entry in value.items():
            if not isinstance(key, str):
                raise Misfit(place, returned("a dict with str keys", key))
            out[check_text(str.__str__(key), place)] = write_item(entry, (place, key))
        return out

    return Node(
        name=f"dict[str, {item.name}]",
        schema={"type": "object", "additionalProperties": item.schema},
        read=read,
        write=write,
        reads=frozenset({"object"}),
        matches=lambda value: isinstance(value, dict),
        sized="Properties",
    )

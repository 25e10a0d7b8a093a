"""Unions whose member the JSON type alone tells, or a field that holds a literal."""

from collections.abc import Sequence
from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Part, Read, Reading
from preheat.interface.nodes.words import expected, returned
from preheat.interface.place import Place

_PYTHON: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (float,),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}


class Ambiguous(Exception):
    """Two members of a union read the same JSON."""


def union(members: Sequence[Node]) -> Node:
    """Compile a union. Raises Ambiguous, naming two members that JSON cannot tell apart."""
    objects = [member for member in members if member.reads == {"object"}]
    if len(objects) > 1:
        tagged = tagged_union(objects)
        if len(objects) == len(members):
            return tagged
        members = [member for member in members if member not in objects] + [tagged]
    return untagged_union(members)


def untagged_union(members: Sequence[Node]) -> Node:
    """Compile a union by the JSON types of its members."""
    readers = _readers(members)
    # int before float, which takes ints too.
    ordered = sorted(members, key=lambda member: "number" in member.reads)
    name = " | ".join(member.name for member in members)

    def read(value: Any, place: Place, reading: Reading) -> Any:
        read_member = readers.get(type(value))
        if read_member is None:
            return reading.wrong(place, expected(name, value))
        return read_member(value, place, reading)

    def write(value: Any, place: Place) -> Any:
        for member in ordered:
            if member.matches(value):
                return member.write(value, place)
        raise Misfit(place, returned(name, value))

    return Node(
        name=name,
        schema={"anyOf": [member.schema for member in members]},
        read=read,
        write=write,
        reads=frozenset().union(*(member.reads for member in members)),
        matches=lambda value: any(member.matches(value) for member in members),
        media=tuple(media for member in members for media in member.media),
        item=next((member.item for member in members if member.item is not None), None),
    )


def _readers(members: Sequence[Node]) -> dict[type, Read]:
    owner: dict[type, Node] = {}
    for member in members:
        for kind in member.reads:
            for python in _PYTHON[kind]:
                if python in owner:
                    raise Ambiguous(f"{owner[python].name} and {member.name} are both {_an(kind)} in JSON")
                owner[python] = member
        if member.media:
            owner[Part] = member
    # Alone, an int reads 1.0 and a float reads 1; side by side each keeps its own.
    for python, other in ((int, float), (float, int)):
        if python not in owner and other in owner and owner[other].reads & {"integer", "number"}:
            owner[python] = owner[other]
    return {python: member.read for python, member in owner.items()}


def _an(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else kind if kind == "null" else f"a {kind}"


def tagged_union(members: Sequence[Node]) -> Node:
    """Compile a union of objects that one field, with other literals in each, tells apart."""
    tag = next((name for name in members[0].tags if _tells(name, members)), None)
    if tag is None:
        first, second = members[0].name, members[1].name
        raise Ambiguous(f"{first} and {second} are both objects in JSON")
    by_tag = {value: member for member in members for value in member.tags[tag]}
    what = f"one of {', '.join(map(repr, by_tag))}"
    name = " | ".join(member.name for member in members)

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is not dict:
            return reading.wrong(place, expected(f"an object ({name})", value))
        if tag not in value:
            return reading.wrong(place, f"{tag!r} is missing; it is {what}")
        found = value[tag]
        member = by_tag.get(found) if type(found) is str else None
        if member is None:
            return reading.wrong((place, tag), expected(what, found))
        return member.read(value, place, reading)

    def write(value: Any, place: Place) -> Any:
        found = value.get(tag) if isinstance(value, dict) else getattr(value, tag, None)
        member = by_tag.get(found) if isinstance(found, str) else None
        if member is None or not member.matches(value):
            raise Misfit(place, returned(name, value))
        return member.write(value, place)

    return Node(
        name=name,
        schema={"required": [tag], "oneOf": [member.schema for member in members]},
        read=read,
        write=write,
        reads=frozenset({"object"}),
        matches=lambda value: any(member.matches(value) for member in members),
    )


def _tells(name: str, members: Sequence[Node]) -> bool:
    seen: set[str] = set()
    for member in members:
        values = member.tags.get(name)
        if values is None or seen & values:
            return False
        seen |= values
    return True

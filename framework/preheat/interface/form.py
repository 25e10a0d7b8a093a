"""The parts of a form as the JSON value that a node reads, with files left as the bytes they came in."""

from collections.abc import Callable
from typing import Any, TypeVar

from preheat.errors import BadInput
from preheat.interface.jsontext import read_json, read_text
from preheat.interface.manifest import Limits
from preheat.interface.media import NPY, OCTETS
from preheat.interface.mediatype import check_charset, parse_media_type
from preheat.interface.message import JSON_TYPE
from preheat.interface.nodes.node import Node, Part
from preheat.interface.place import pointer

T = TypeVar("T")


def takes_form(node: Node) -> bool:
    """Tell whether `node` reads forms: a file or an image alone, or an object with a field that is one."""
    if node.media:
        return node.media != (NPY,)
    return any(_attaches(member) for member in node.fields.values())


def read_form(node: Node, parts: list[tuple[str, Part]], limits: Limits) -> Any:
    """Return what `node` reads. Raises BadInput.

    A part is JSON where its content type says so or its field is no string; the parts of one
    name make a list where the field is a list of files.
    """
    if node.media:
        if len(parts) != 1:
            raise BadInput(f"Expected a form with one part, the file; got {len(parts)}.")
        return _typed(parts[0][1])
    values: dict[str, Any] = {}
    for name, part in parts:
        if part.name == "" and not part.data:
            continue  # what a browser sends for a file input that was left empty
        member = node.fields.get(name)
        if member is not None and member.item is not None and _attaches(member):
            values.setdefault(name, []).append(_value(member.item, name, part, limits))
        elif name in values:
            raise BadInput(
                f"The form has two parts named {name!r}.", errors=[(pointer((None, name)), "stands twice")]
            )
        else:
            values[name] = None if member is None else _value(member, name, part, limits)
    return values


def _attaches(member: Node) -> bool:
    return bool(member.media) or (member.item is not None and bool(member.item.media))


def _typed(part: Part) -> Part:
    return part if part.media_type else Part(part.data, OCTETS, part.name)


def _value(node: Node, name: str, part: Part, limits: Limits) -> Any:
    kind, parameters = parse_media_type(part.media_type)
    if kind == JSON_TYPE:
        check_charset(kind, parameters)
    elif node.media:
        return _typed(part)
    elif node.reads <= {"string", "null"}:
        return _at(name, lambda: read_text(part.data))
    return _at(name, lambda: read_json(part.data, depth=limits.depth))


def _at(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except BadInput as exc:
        raise BadInput(
            f"In the part {name!r}: {exc.message}", errors=[(pointer((None, name)), exc.message)]
        ) from exc

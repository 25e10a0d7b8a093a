"""An input held against the endpoint's schema before it is sent: a typo starts no process. Pure.

Types and keys only. Bounds, patterns and what a schema cannot say are left to the endpoint, and a
keyword that is not known here excludes nothing.
"""

from collections.abc import Mapping
from typing import Any

from preheat.client.contract import Contract, Schema, tensor_of
from preheat.client.raw import is_array, is_raw, misfit_of_array
from preheat.errors import BadInput
from preheat.interface.nodes.words import expected, unknown_key
from preheat.interface.place import Place, pointer

MAX_MISTAKES = 20

Mistakes = list[tuple[str, str]]
_NAMES = {
    "null": "null",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "array": "an array",
    "object": "an object",
}
_EXACT: Mapping[str, set[type]] = {
    "string": {str},
    "boolean": {bool},
    "integer": {int},
    "number": {int, float},
}


def check_input(value: Any, contract: Contract) -> None:
    """Raise BadInput, with pointers, for a value that the endpoint would refuse."""
    mistakes = _mistakes(value, contract.input, None, contract)
    if mistakes:
        at, detail = mistakes[0]
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise BadInput(
            f"The input does not fit {contract.title}{f' at {at}' if at else ''}: {detail}{more}.",
            errors=mistakes[:MAX_MISTAKES],
        )


def _mistakes(value: Any, schema: Schema, place: Place, contract: Contract) -> Mistakes:
    members = tuple(contract.alternatives(schema))
    if len(members) > 1:
        return _in_union(value, members, place, contract)
    schema = members[0]
    spec = tensor_of(schema)
    if spec is not None and is_array(value):
        misfit = misfit_of_array(value, spec)
        return [(pointer(place), misfit)] if misfit else []
    if not _has_type(value, schema):
        return [(pointer(place), expected(_what(schema), value))]
    if "enum" in schema and value not in schema["enum"]:
        return [(pointer(place), expected(_what(schema), value))]
    if isinstance(value, Mapping):
        return _in_object(value, schema, place, contract)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return _in_list(value, schema["items"], place, contract)
    return []


def _in_union(value: Any, members: tuple[Schema, ...], place: Place, contract: Contract) -> Mistakes:
    """Return the mistakes by the member that comes closest among those of the value's type."""
    found = [_mistakes(value, member, place, contract) for member in members if _has_type(value, member)]
    if found:
        return min(found, key=len)
    wanted = " or ".join(dict.fromkeys(_what(member) for member in members))
    return [(pointer(place), expected(wanted, value))]


def _in_object(value: Mapping[Any, Any], schema: Schema, place: Place, contract: Contract) -> Mistakes:
    fields: Mapping[str, Schema] = schema.get("properties", {})
    others = schema.get("additionalProperties")
    if others is None:
        return []  # a pydantic model, which may take what its schema does not say
    mistakes: Mistakes = []
    for key, member in value.items():
        if key in fields:
            mistakes += _mistakes(member, fields[key], (place, key), contract)
        elif others is False:
            mistakes.append((pointer((place, str(key))), unknown_key(str(key), list(fields))))
        elif isinstance(others, Mapping):
            mistakes += _mistakes(member, others, (place, str(key)), contract)
    missing = [key for key in schema.get("required", ()) if key not in value]
    return mistakes + [(pointer(place), f"{key!r} is missing") for key in missing]


def _in_list(values: list[Any], schema: Schema, place: Place, contract: Contract) -> Mistakes:
    bare = contract.resolve(schema)
    if "enum" not in bare and set(map(type, values)) <= _EXACT.get(str(bare.get("type")), set()):
        return []
    mistakes: Mistakes = []
    for index, member in enumerate(values):
        mistakes += _mistakes(member, schema, (place, index), contract)
        if len(mistakes) > MAX_MISTAKES:
            break
    return mistakes


def _has_type(value: Any, schema: Schema) -> bool:
    kind = schema.get("type")
    if not isinstance(kind, str):
        return True
    if is_raw(value):
        return kind == "object" or (kind == "string" and "contentEncoding" in schema)
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list) or is_array(value)
        case "object":
            return isinstance(value, Mapping)
    return True


def _what(schema: Schema) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(repr, schema['enum']))}"
    kind = str(schema.get("type"))
    title = schema.get("title") if kind == "object" else None
    return f"{_NAMES.get(kind, kind)}{f' ({title})' if title else ''}"

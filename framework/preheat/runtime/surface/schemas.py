"""Moves JSON Schemas into an OpenAPI document, whose root is not theirs. Pure."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords whose value maps names to schemas."""
_DATA = frozenset({"const", "enum", "default", "examples", "example", "required", "dependentRequired"})
"""Keywords whose value is data, where `$ref` is an ordinary name."""
_DROPPED = frozenset({"$defs", "$schema", "$id"})
"""Keywords that only mean something in a document of its own."""


def components(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` as the component `name`, and each of its `$defs` as the component `name.DEF`."""
    moved = {name: _moved(schema, name)}
    for key, value in schema.get("$defs", {}).items():
        moved[_component(name, key)] = _moved(value, name)
    return moved


def _moved(schema: Any, name: str) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _DROPPED}
    return {key: _moved_value(key, value, name) for key, value in kept.items()}


def _moved_value(key: str, value: Any, name: str) -> Any:
    if key in _DATA:
        return value
    if key == "$ref" and isinstance(value, str):
        return _reference(value, name)
    if key in _MAPS:
        return {inner: _moved(schema, name) for inner, schema in value.items()}
    if isinstance(value, list | tuple):
        return [_moved(item, name) for item in value]
    return _moved(value, name)


def _reference(reference: str, name: str) -> str:
    if reference == "#":
        return f"#/components/schemas/{name}"
    prefix = "#/$defs/"
    if not reference.startswith(prefix):
        return reference
    key = unquote(reference.removeprefix(prefix)).replace("~1", "/").replace("~0", "~")
    return f"#/components/schemas/{_component(name, key)}"


def _component(name: str, key: str) -> str:
    """Return a component name for a definition: OpenAPI allows fewer characters (section 4.8.7.1)."""
    return f"{name}.{re.sub(r'[^A-Za-z0-9._-]', lambda found: f'_{ord(found[0]):x}_', key)}"

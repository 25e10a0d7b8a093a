"""The published JSON Schema of preheat.toml. Reads one file of this package."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).with_name("schema.json")


@cache
def project_schema() -> Mapping[str, Any]:
    """Return the JSON Schema (2020-12) of preheat.toml."""
    schema: Mapping[str, Any] = json.loads(SCHEMA_FILE.read_bytes())
    return schema


def resolved(schema: Mapping[str, Any], top: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `schema` with its `$ref` into `top` followed; keywords beside the reference win."""
    reference = schema.get("$ref", "")
    if not reference.startswith("#/"):
        return schema
    target = top
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return {**resolved(target, top), **beside}

"""The one module that knows `jsonschema`: values and a schema in, broken rules out. Touches nothing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from preheat.project.mistake import KeyPath

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One rule of a schema that one value breaks.

    `rule` is the keyword and `limit` its value; `schema` is the object that holds it. `of_name` says
    that the rule is about a key's own name, and `value` is then that name.
    """

    path: KeyPath
    rule: str
    limit: Any
    value: Any
    schema: Mapping[str, Any]
    of_name: bool
    message: str


def broken_rules(values: Any, schema: Mapping[str, Any]) -> Iterator[Broken]:
    """Yield every rule of `schema` (JSON Schema 2020-12) that `values` break."""
    for error in _validator_class()(schema).iter_errors(values):
        yield Broken(
            path=tuple(error.absolute_path),
            rule=str(error.validator),
            limit=error.validator_value,
            value=error.instance,
            schema=error.schema if isinstance(error.schema, Mapping) else {},
            of_name="propertyNames" in error.absolute_schema_path,
            message=error.message,
        )


@cache
def _validator_class() -> "type[Validator]":
    from jsonschema import Draft202012Validator, validators  # 55 ms that most commands do not need

    extended: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"pattern": _pattern}
    )
    return extended


def _pattern(
    _validator: "Validator", pattern: str, instance: Any, _schema: Mapping[str, Any]
) -> "Iterator[ValidationError]":
    """Match as JSON Schema does, where `$` is the end: in Python it also fits before a last newline."""
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")

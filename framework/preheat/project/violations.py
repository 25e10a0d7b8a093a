"""Where values break a JSON Schema, said in the words of preheat.toml. Touches nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from preheat.project.corrections import corrected, example
from preheat.project.mistake import KeyPath, Mistake, key_text, line_to_paste, shown
from preheat.project.names import nearest
from preheat.project.schema import resolved
from preheat.project.validator import Broken, broken_rules

TYPES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "absent",
}
BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}


def violations(values: Any, schema: Mapping[str, Any], *, at: KeyPath = ()) -> Iterator[Mistake]:
    """Yield every place where `values`, which stand at `at` in preheat.toml, break `schema`."""
    broken = list(broken_rules(values, schema))
    meant = {(*each.path, near) for each in broken for near in _unknown_keys(each).values() if near}
    for each in broken:
        path = (*at, *each.path)
        if each.rule == "additionalProperties" and each.limit is False:
            for key, near in _unknown_keys(each).items():
                yield _unknown(path, key, near, each)
        elif each.rule == "required":
            # One error for each absent key, told apart only by its text.
            key = next(name for name in each.limit if each.message.startswith(repr(name)))
            if (*each.path, key) not in meant:
                yield _absent(path, key, resolved(each.schema.get("properties", {}).get(key, {}), schema))
        elif each.of_name:
            yield _bad_name((*path, each.value), each)
        else:
            yield _bad_value(path, each)


def _unknown_keys(broken: Broken) -> dict[str, str | None]:
    """Return the keys that the schema does not know, each with the known one it was probably meant to be."""
    if broken.rule != "additionalProperties" or broken.limit is not False:
        return {}
    known = broken.schema.get("properties", {})
    patterns = broken.schema.get("patternProperties", {})
    return {
        key: nearest(key, [name for name in known if name not in broken.value]) or nearest(key, list(known))
        for key in broken.value
        if key not in known and not any(re.search(pattern, key) for pattern in patterns)
    }


def _unknown(path: KeyPath, key: str, near: str | None, broken: Broken) -> Mistake:
    known = ", ".join(broken.schema.get("properties", {}))
    meant = f"did you mean {near!r}?" if near else f"it knows {known or 'no keys'}."
    return Mistake(
        path=(*path, key),
        message=f"{_table(path)} has no key {key!r}; {meant}",
        fix=line_to_paste((*path, near), broken.value[key]) if near else None,
    )


def _absent(path: KeyPath, key: str, schema: Mapping[str, Any]) -> Mistake:
    value = example(schema)
    return Mistake(
        path=(*path, key),
        message=f"{_table(path)} has no {key!r}, which it needs.",
        fix=None if value is None else line_to_paste((*path, key), value),
    )


def _bad_name(path: KeyPath, broken: Broken) -> Mistake:
    better = corrected(broken.value, broken.schema)
    return Mistake(
        path=path,
        message=f"{broken.value!r} in {_table(path[:-1])} is no valid name: {_rule(broken)}.",
        fix=None if better is None else key_text((*path[:-1], better)),
    )


def _bad_value(path: KeyPath, broken: Broken) -> Mistake:
    # Who pastes a secret instead of a reference must not find it again in a terminal or a log.
    secret = "secrets" in path[:3] and isinstance(broken.value, str)
    value = "not shown here" if secret else shown(broken.value)
    better = None if secret else corrected(broken.value, broken.schema)
    better = example(broken.schema) if better is None else better
    return Mistake(
        path=path,
        message=f"{key_text(path)} is {value}; it must be {_rule(broken)}.",
        fix=None if better is None else line_to_paste(path, better),
    )


def _table(path: KeyPath) -> str:
    return f"[{key_text(path)}]" if path else "preheat.toml"


def _rule(broken: Broken) -> str:
    limit, unit = broken.limit, broken.schema.get("x-unit", "")
    match broken.rule:
        case "type":
            return " or ".join(TYPES[name] for name in ([limit] if isinstance(limit, str) else limit))
        case "enum":
            near = nearest(str(broken.value), [name for name in limit if isinstance(name, str)])
            return f"one of {', '.join(map(shown, limit))}" + (f" (did you mean {near!r}?)" if near else "")
        case "const":
            return shown(limit)
        case "pattern":
            return str(broken.schema.get("x-form", f"text that matches {limit}"))
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" as bound:
            return f"{BOUNDS[bound]} {limit} {unit}".rstrip()
        case "minLength" | "minItems" | "minProperties" if limit == 1:
            return "not empty"
        case "maxLength":
            return f"at most {limit} characters"
        case rule:
            return f"valid by the rule {rule!r}: {broken.message}"

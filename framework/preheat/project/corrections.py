"""The nearest valid value to a wrong one, for the line that a finding offers to paste. Touches nothing."""

import re
from collections.abc import Mapping
from typing import Any

from preheat.project.names import nearest, nearest_name


def example(schema: Mapping[str, Any]) -> Any:
    """Return a valid value of `schema`: its first example, else its default, else None."""
    return next(iter(schema.get("examples", [])), schema.get("default"))


def corrected(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return the value of `schema` that `value` was probably meant to be, or None where nothing is near."""
    better = _nearest_value(value, schema)
    return None if type(better) is type(value) and better == value else better


def _nearest_value(value: Any, schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return nearest(str(value), [name for name in schema["enum"] if isinstance(name, str)])
    converted = _converted(value, schema.get("type"))
    if isinstance(converted, str):
        return _matching(converted, schema.get("pattern"))
    if isinstance(converted, int | float) and not isinstance(converted, bool):
        return _within(converted, schema)
    return converted


def _converted(value: Any, wanted: Any) -> Any:
    """Return `value` as the type `wanted`, where the same text means the same in it."""
    match wanted:
        case "string" if isinstance(value, int | float | str) and not isinstance(value, bool):
            return str(value)
        case "integer" | "number" if isinstance(value, str):
            number = _number(value)
            return round(number) if number is not None and wanted == "integer" else number
        case "integer" if isinstance(value, float) and abs(value) < 1e15:
            return round(value)
        case "integer" | "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        case "array" if isinstance(value, str):
            return [value]
        case "boolean" if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        case _:
            return None


def _number(text: str) -> float | None:
    if not re.fullmatch(r"\s*-?\d{1,15}(\.\d{1,15})?\s*", text):
        return None
    return float(text) if "." in text else int(text)


def _matching(text: str, pattern: str | None) -> str | None:
    module = text.removeprefix("./").replace(".py:", ":").replace("/", ".")
    handler = re.sub(r"\.(?=[A-Z]\w*$)", ":", module)  # MODULE.CLASS, as an import has it
    candidates = (text, text.strip(), text.strip().lower(), nearest_name(text), module, handler)
    return next((each for each in candidates if pattern is None or re.fullmatch(pattern, each)), None)


def _within(number: float, schema: Mapping[str, Any]) -> float | None:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is not None and (number < low or (number == low and "exclusiveMinimum" in schema)):
        return schema.get("minimum")
    if high is not None and number > high:
        return schema.get("maximum")
    return number

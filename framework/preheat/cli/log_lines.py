"""How a log event looks to a reader. Touches nothing.

Its text is of handlers and of their callers: none of it may do anything to the reader's terminal.
"""

import json
from collections.abc import Mapping
from typing import Any

import click

from preheat.cli.text import dim
from preheat.runtime.log import visible


def log_event(event: Mapping[str, Any]) -> str:
    """Return a log event as a line; a traceback follows on lines of its own."""
    level = str(event.get("level", "info"))
    colour = {"error": "red", "warning": "yellow"}.get(level)
    rest = {
        key: value for key, value in event.items() if key not in {"time", "level", "message", "traceback"}
    }
    pairs = " ".join(f"{key}={_logged(value)}" for key, value in rest.items() if value is not None)
    time, message, trace = (visible(str(event.get(key) or "")) for key in ("time", "message", "traceback"))
    label = click.style(f"{visible(level):<7}", fg=colour)
    line = f"{dim(time)} {label} {message} {dim(visible(pairs))}".rstrip()
    return line + (f"\n{trace.rstrip()}" if trace else "")


def _logged(value: Any) -> str:
    """Return a value of a log event: words as they are, anything else as JSON with short numbers."""
    if isinstance(value, str):
        return value if value.isprintable() and " " not in value else json.dumps(value, ensure_ascii=False)
    return json.dumps(_rounded(value), ensure_ascii=False, separators=(",", ":"))


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case list():
            return [_rounded(item) for item in value]
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
        case _:
            return value

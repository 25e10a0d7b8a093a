"""One mistake by its key, before the line of that key is known. Touches nothing."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KeyPath = tuple[str | int, ...]
"""Where a value is: the keys from the top of preheat.toml, and an index for an item of a list."""

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
SHOWN = 60
"""How many characters of a value a message repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake at `path`. `file` and `line` are set when it is in a file that preheat.toml names."""

    path: KeyPath
    message: str
    fix: str | None = None
    file: Path | None = None
    line: int | None = None


def key_text(path: KeyPath) -> str:
    """Return `path` as TOML writes it, with the index of an item in brackets: `requirements[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if BARE_KEY.fullmatch(part) else toml_text(part)
            text += f".{name}" if text else name
    return text


def toml_text(value: Any) -> str:
    """Return a TOML value as one line of TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(toml_text(item) for item in value) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{key_text((key,))} = {toml_text(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    return str(value)


def line_to_paste(path: KeyPath, value: Any) -> str:
    """Return what to paste to set `path` to `value`: the line, or for a table its header."""
    if isinstance(value, Mapping):
        return f"[{key_text(path)}]"
    key = path[-1]
    return f"{toml_text(value)}," if isinstance(key, int) else f"{key_text((key,))} = {toml_text(value)}"


def shown(value: Any) -> str:
    """Return `value` as a message repeats it: one line of TOML, cut when it is long."""
    text = toml_text(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."

"""One mistake in a handler class, and where it stands."""

import inspect
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong, the line to paste, and the line it is about (from 1, in the file of the handler)."""

    message: str
    fix: str | None = None
    line: int | None = None


def line_of(function: Any) -> int | None:
    """Return the line that a function or its first decorator stands on."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_firstlineno if code is not None else None


def line_of_class(kind: type) -> int | None:
    """Return the line of the class statement, where its source is at hand."""
    try:
        return inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):
        return None


def line_of_field(kind: type, name: str) -> int | None:
    """Return the line on which a class annotates `name`, where its source is at hand."""
    try:
        lines, first = inspect.getsourcelines(kind)
    except (OSError, TypeError):
        return None
    pattern = re.compile(rf"\s+{re.escape(name)}\s*:")
    return next((first + offset for offset, line in enumerate(lines) if pattern.match(line)), first)

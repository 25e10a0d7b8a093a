"""Log events as JSON lines on standard error, one write each, so that lines of several threads never mix."""

import json
import os
from collections.abc import Callable
from typing import Any

Log = Callable[[dict[str, Any]], None]
"""Takes one event: `{"level", "event", "message", ...}`."""


def log_to_stderr(event: dict[str, Any]) -> None:
    """Write `event` to the process's standard error, whatever the handler has made of `sys.stderr`."""
    line = memoryview(json.dumps(event, ensure_ascii=False, default=str).encode(errors="replace") + b"\n")
    while line:
        line = line[os.write(2, line) :]

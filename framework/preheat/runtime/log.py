"""Log events as JSON lines on standard error, one write each, so that lines of several threads never mix."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

Log = Callable[[dict[str, Any]], None]
"""Takes one event: `{"level", "event", "message", ...}`."""

_CONTROLS = {
    code: f"\\u{code:04x}"
    for code in (
        *(*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)),  # C0 but \t and \n, DEL, C1
        *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),  # direction: UAX #9
        *(0x2028, 0x2029),  # ends of lines and paragraphs
    )
}


def visible(text: str) -> str:
    r"""Return `text` with `\u001b` in place of what could move a terminal's cursor or turn its text around.

    Ends of lines, tabs and letters of every script stay. Half a surrogate pair, which cannot be
    written, is escaped as well. JSON text keeps its meaning.
    """
    return text.translate(_CONTROLS).encode(errors="backslashreplace").decode()


def event_line(event: Mapping[str, Any]) -> str:
    """Return `event` as one line of JSON that is `visible`; what JSON does not know is its `str`."""
    return visible(json.dumps(dict(event), ensure_ascii=False, default=str))


def log_to_stderr(event: dict[str, Any]) -> None:
    """Write `event` to the process's standard error, whatever the handler has made of `sys.stderr`.

    What cannot be written is dropped: its reader is gone, or does not read and a parent has made the
    descriptor one that never blocks. Nobody is left to be told, and whoever logs has work to do.
    """
    line = memoryview(event_line(event).encode() + b"\n")
    with suppress(OSError):
        while line:
            line = line[os.write(2, line) :]

"""What a container wrote, line by line, to events `{"time", "level", "event", "message", ...}`. Pure.

Our own lines are JSON. What a handler prints comes as it is, and so does a traceback, one event a line.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

Event = Mapping[str, Any]

LEVELS = frozenset({"debug", "info", "warning", "error"})
_STDERR = 2
"""FILE_DESCRIPTOR_STDERR of Modal's protocol."""


def events_of(batch: Any) -> Iterator[Event]:
    """Yield the events of one TaskLogsBatch."""
    for item in batch.items:
        if not item.data:
            continue
        at = item.timestamp_ns / 1e9 if item.timestamp_ns else item.timestamp
        instance = item.container_id or batch.task_id
        for line in item.data.splitlines():
            if line.strip():
                yield event_of(line, at, instance=instance, is_error=item.file_descriptor == _STDERR)


def event_of(line: str, at: float, *, instance: str = "", is_error: bool = False) -> Event:
    """Return the event of one line that was written `at` (seconds of the epoch) by a container.

    A line on standard error is a warning where it says no level: libraries write there what is no error.
    """
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ours = _of_json(line) or {
        "level": "warning" if is_error else "info",
        "event": "output",
        "message": line.rstrip(),
    }
    where = {"instance": instance} if instance else {}
    return {"time": moment, **{key: value for key, value in ours.items() if key != "time"}, **where}


def _of_json(line: str) -> Event | None:
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("message"), str):
        return None
    level = str(found.get("level", "info")).lower()
    return {"event": "output", **found, "level": level if level in LEVELS else "info"}

"""The access log: one JSON line for each request, made and written on a thread of its own.

Whoever adds a record pays for an append. When the sink is slower than the requests, lines are
dropped and counted, and the log says how many: no request waits for its line.
"""

import json
import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

CAPACITY = 10_000
GATHER_S = 0.02
"""How long a line waits for others: a wake-up for each would cost more than the lines."""
LINES_AT_ONCE = 32
"""Making so many holds the interpreter for less than a millisecond; writing them lets it go."""
LONGEST_TEXT = 256
LONGEST_ESCAPED = 2 * LONGEST_TEXT
"""Bytes of a text in its line, where a letter may take 12. A line has six texts of callers, and with them
less than PIPE_BUF, 4,096 bytes, which a pipe does not mix with those of other processes (pipe(7))."""

Sink = Callable[[bytes], None]
"""Writes whole lines, wherever they go; called on the log's thread only. Raises OSError."""

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

log = logging.getLogger("preheat.access")


class AccessRecord(NamedTuple):
    """What is known of one request when it has ended. `status` is None where nothing was sent."""

    started: float
    """Seconds since the epoch."""
    request_id: str
    method: str
    route: str | None
    path: str
    status: int | None
    outcome: str
    bytes_in: int
    bytes_out: int
    total_ms: float
    queue_ms: float
    model_ms: float
    batch_size: int
    cold: bool
    release: str | None
    traceparent: str | None
    """Of this server's span, or else of the caller."""


def access_event(record: AccessRecord) -> dict[str, Any]:
    """Return `record` as a log event; what does not apply is left out."""
    method, path = _short(record.method), _short(record.path)
    event: dict[str, Any] = {
        "time": _rfc3339(record.started),
        "level": "info",
        "event": "access",
        "message": f"{method} {path} {record.status or '-'}",
        "request_id": _short(record.request_id),
        "method": method,
        "route": record.route,
        "path": path,
        "status": record.status,
        "outcome": record.outcome,
        "bytes_in": record.bytes_in,
        "bytes_out": record.bytes_out,
        "total_ms": round(record.total_ms, 3),
    }
    if record.model_ms > 0.0:
        event["queue_ms"] = round(record.queue_ms, 3)
        event["model_ms"] = round(record.model_ms, 3)
    if record.batch_size:
        event["batch_size"] = record.batch_size
    if record.route is not None:
        event["cold"] = record.cold
    if record.release is not None:
        event["release"] = _short(record.release)
    if (trace := _TRACE.fullmatch(record.traceparent or "")) is not None:
        event["trace_id"] = trace[1]
    return event


class AccessLog:
    """Writes lines to `write`. At most `capacity` wait for it."""

    def __init__(self, write: Sink, *, capacity: int = CAPACITY) -> None:
        self._write = write
        self._capacity = capacity
        self._waiting: deque[AccessRecord] = deque()
        self._dropped = 0  # counted by whoever adds
        self._lost = 0  # counted by the log's thread, as is what it has told of both
        self._told = 0
        self._failing = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, record: AccessRecord) -> None:
        """Queue `record`, or count it as dropped; never waits. Call it from one thread only."""
        if len(self._waiting) >= self._capacity:
            self._dropped += 1
            return
        self._waiting.append(record)
        if not self._wake.is_set():
            self._rouse()

    def close(self, limit_s: float) -> bool:
        """Write what is queued and end; False when the sink did not take it within `limit_s`."""
        self._stop.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(limit_s)
        return not self._thread.is_alive()

    def _rouse(self) -> None:
        # Started late, so that a process may fork after making the log.
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="preheat-access-log", daemon=True)
            self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            self._wake.wait()
            self._stop.wait(GATHER_S)
            # Before the queue is looked at: who adds after that look finds it cleared and sets it again.
            self._wake.clear()
            stopping = self._stop.is_set()
            self._drain()

    def _drain(self) -> None:
        while self._waiting:
            lines = [
                _line(access_event(self._waiting.popleft()))
                for _ in range(min(LINES_AT_ONCE, len(self._waiting)))
            ]
            missing = self._dropped + self._lost - self._told
            notice = [_line(_dropped_event(missing))] if missing else []
            if self._written(b"".join(lines + notice)):
                self._told += missing
            else:
                self._lost += len(lines)

    def _written(self, text: bytes) -> bool:
        try:
            self._write(text)
        except OSError as error:
            if not self._failing:
                log.error("cannot write the access log: %s", error)
            self._failing = True
            return False
        self._failing = False
        return True


def _line(event: dict[str, Any]) -> bytes:
    # ASCII only, so that nothing a caller sent can move a terminal's cursor or turn its text around.
    return json.dumps(event).encode() + b"\n"


def _dropped_event(count: int) -> dict[str, Any]:
    return {
        "time": _rfc3339(time.time()),
        "level": "warning",
        "event": "access-dropped",
        "message": f"{count} lines of the access log were dropped: they were not taken fast enough.",
        "dropped": count,
    }


def _short(text: str) -> str:
    if len(text) <= LONGEST_TEXT and text.isascii() and text.isprintable():
        return text
    short = text[:LONGEST_TEXT]
    while (escaped := len(json.dumps(short)) - len('""')) > LONGEST_ESCAPED:
        short = short[: len(short) * LONGEST_ESCAPED // escaped]
    return text if short == text else short + "..."


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""One line of a function's log to an event `{"time", "level", "event", "message", ...}`. Pure.

Lines are the function's own (JSON of ours, or whatever a handler prints) or Lambda's, as text or as JSON
("Using Lambda advanced logging controls" and "Understanding the Lambda logs", Lambda developer guide).
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]

_LEVELS = {"trace": "debug", "warn": "warning", "critical": "error", "fatal": "error"}
_KNOWN_LEVELS = frozenset({"debug", "info", "warning", "error"})
_NOISE = frozenset({"time", "timestamp", "location", "service", "requestId", "log_level"})
"""What an event says already, or the reader of one function knows."""

_EMBEDDED_METRICS = "_aws"
_MADE_OF = re.compile(r"(?P<name>[A-Z][A-Za-z ]+): (?P<value>[^\t]*?)\s*(?:\t|$)")
_START = re.compile(r"START RequestId: (?P<id>\S+)(?: Version: (?P<version>\S+))?")
_TIMED_OUT = re.compile(r"\S+Z (?P<id>\S+) Task timed out after (?P<s>[0-9.]+) seconds")
_RAISED = re.compile(r"\[ERROR\]\s+(?P<message>[^\r\n]*)[\r\n]*(?P<traceback>.*)", re.DOTALL)
_INSTANCE = re.compile(r"(?P<id>[0-9a-f]{8})[0-9a-f]{24}\]?$")
_NUMBERS = {
    "Duration": "duration_ms",
    "Billed Duration": "billed_ms",
    "Memory Size": "memory_mb",
    "Max Memory Used": "used_mb",
    "Init Duration": "init_ms",
    "Restore Duration": "restore_ms",
    "Billed Restore Duration": "billed_restore_ms",
}
_METRICS = {
    "durationMs": "duration_ms",
    "billedDurationMs": "billed_ms",
    "memorySizeMB": "memory_mb",
    "maxMemoryUsedMB": "used_mb",
    "initDurationMs": "init_ms",
    "restoreDurationMs": "restore_ms",
    "billedRestoreDurationMs": "billed_restore_ms",
}


def event_of(stamp_ms: int, message: str, stream: str = "") -> Event | None:
    """Return the event that a line stands for; None for a line that says nothing to a reader.

    `instance` tells the execution environments apart, where `stream` names one.
    """
    line = message.rstrip()
    if not line:
        return None
    found = _of_json(line) if line.startswith("{") else None
    found = found if found is not None else _of_text(line)
    if not found:
        return None
    moment = datetime.fromtimestamp(stamp_ms / 1000, UTC).isoformat(timespec="milliseconds")
    instance = _INSTANCE.search(stream)
    ours = {"level": "info", "event": "output"} | found
    event = {"time": moment.replace("+00:00", "Z"), **ours}
    return event | ({"instance": instance["id"]} if instance else {})


def _of_json(line: str) -> Event | None:
    """Return the event of a line of JSON; an empty one for what is no news, None for what is no event."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    if _EMBEDDED_METRICS in record:
        return {}
    kind, inner = record.get("type"), record.get("record")
    if isinstance(kind, str) and kind.startswith("platform.") and isinstance(inner, Mapping):
        return _of_platform(kind.removeprefix("platform."), inner)
    if isinstance(record.get("errorMessage"), str):
        return _of_failure(record)
    if not isinstance(record.get("message"), str):
        return None
    rest = {key: value for key, value in record.items() if key not in _NOISE}
    identity = {"request_id": record["requestId"]} if "requestId" in record else {}
    return rest | identity | {"level": _level(record.get("level", record.get("log_level", "info")))}


def _of_failure(record: Mapping[str, Any]) -> Event:
    trace = record.get("stackTrace") or []
    return {
        "level": "error",
        "event": "failed",
        "message": f"{record.get('errorType', 'Error')}: {record['errorMessage']}",
        **({"request_id": record["requestId"]} if "requestId" in record else {}),
        **({"traceback": "".join(str(each) for each in trace)} if trace else {}),
    }


def _of_platform(kind: str, record: Mapping[str, Any]) -> Event:
    request = {"request_id": record["requestId"]} if "requestId" in record else {}
    match kind:
        case "start":
            return _begin(str(record.get("requestId", "")), str(record.get("version", "")))
        case "report" | "initReport" | "restoreReport":
            metrics = record.get("metrics") or {}
            numbers = {ours: metrics[theirs] for theirs, ours in _METRICS.items() if theirs in metrics}
            if kind == "initReport":
                numbers = {"init_ms": numbers.pop("duration_ms", None), **numbers}
            if kind == "restoreReport":
                numbers = {"restore_ms": numbers.pop("duration_ms", None), **numbers}
            status = record.get("status", "success")
            name = {"report": "report", "initReport": "init", "restoreReport": "restore"}[kind]
            return request | _report(name, numbers, None if status == "success" else status)
        case _:
            return {}


def _of_text(line: str) -> Event:
    word = line.partition(" ")[0]
    match word:
        case "START" if found := _START.match(line):
            return _begin(found["id"], found["version"] or "")
        case "END" | "INIT_START" | "RESTORE_START" | "XRAY":
            return {}
        case "REPORT" | "INIT_REPORT" | "RESTORE_REPORT":
            return _of_report(word, line)
        case "LAMBDA_WARNING:":
            return {"level": "warning", "event": "warning", "message": line.partition(" ")[2]}
    if found := _TIMED_OUT.match(line):
        message = f"gave up after {found['s']} seconds"
        return {"level": "error", "event": "timeout", "message": message, "request_id": found["id"]}
    if found := _RAISED.match(line):
        trace = {"traceback": found["traceback"].replace("\r", "\n")} if found["traceback"] else {}
        return {"level": "error", "event": "failed", "message": found["message"], **trace}
    return {"level": "info", "event": "output", "message": line}


def _begin(request_id: str, version: str) -> Event:
    release = {"release": int(version)} if version.isdigit() else {}
    return {
        "level": "debug",
        "event": "start",
        "message": f"event {request_id}",
        "request_id": request_id,
        **release,
    }


def _of_report(word: str, line: str) -> Event:
    said = {found["name"].strip(): found["value"] for found in _MADE_OF.finditer(line.partition(" ")[2])}
    numbers = {ours: _number(said[theirs]) for theirs, ours in _NUMBERS.items() if theirs in said}
    request = {"request_id": said["RequestId"]} if "RequestId" in said else {}
    name = {"REPORT": "report", "INIT_REPORT": "init", "RESTORE_REPORT": "restore"}[word]
    wrong = " ".join(said[key] for key in ("Status", "Error Type") if key in said)
    return request | _report(name, numbers, wrong or None)


def _report(name: str, numbers: Mapping[str, float | None], wrong: str | None) -> Event:
    known = {key: value for key, value in numbers.items() if value is not None}
    times = (
        (known.get("duration_ms"), "{:.0f} ms"),
        (known.get("init_ms"), "cold: init {:.0f} ms"),
        (known.get("restore_ms"), "cold: restore {:.0f} ms"),
        (known.get("used_mb"), "{:.0f} MB used"),
    )
    message = ", ".join(text.format(value) for value, text in times if value is not None)
    failed = {"level": "error", "reason": wrong} if wrong else {"level": "info"}
    return {**failed, "event": name, "message": message or name, **known}


def _number(text: str) -> float | None:
    digits = text.partition(" ")[0]
    try:
        return float(digits)
    except ValueError:
        return None


def _level(value: object) -> str:
    level = str(value).lower()
    level = _LEVELS.get(level, level)
    return level if level in _KNOWN_LEVELS else "info"

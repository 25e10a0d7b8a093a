"""Lines of logs to requests; None for a line that is no request. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from math import inf
from typing import Any, NamedTuple

from preheat.warming.trace.moments import read_epoch, read_moment

COMMON = re.compile(r'\S+ \S+ .+? \[(?P<moment>[^\]]+)\] "')
REPORT = re.compile(r"REPORT RequestId: \S+\s+Duration: (?P<ms>[\d.]+) ms")
"""What Lambda logs at the end of each invocation."""


class Entry(NamedTuple):
    """One request; `service_s` is what it took, where the log says so."""

    moment: float
    service_s: float | None


def is_common(line: str) -> bool:
    """Whether a line has the Common or the Combined Log Format."""
    return COMMON.match(line) is not None


def common(lines: Iterator[str]) -> Iterator[Entry | None]:
    """Yield the requests of an access log."""
    for line in lines:
        if line.strip():
            found = COMMON.match(line)
            yield _entry(found["moment"], None) if found else None


def events(lines: Iterator[str]) -> Iterator[Entry | None]:
    """Yield the requests of lines of JSON: our access log, or exported events."""
    for line in lines:
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            yield None
            continue
        yield event(document) if isinstance(document, Mapping) else None


def exported(document: Any) -> Iterator[Entry | None]:
    """Yield the requests of `aws logs filter-log-events`, or of a list of events."""
    found = document.get("events") if isinstance(document, Mapping) else document
    for each in found if isinstance(found, list) else ():
        yield event(each) if isinstance(each, Mapping) else None


def event(document: Mapping[str, Any]) -> Entry | None:
    """Return one event as a request; the log of a function has others, which are none."""
    if "event" in document:
        if document["event"] != "access" or "model_ms" not in document:
            return None  # it needed no worker
        return _entry(document.get("time"), document.get("model_ms"))
    message = document.get("message", document.get("@message"))
    moment = document.get("timestamp", document.get("@timestamp", document.get("time")))
    report = REPORT.search(message) if isinstance(message, str) else None
    if isinstance(message, str) and report is None:
        return None
    if report is None:
        return _entry(moment, document.get("duration_ms"))
    took_ms = float(report["ms"])
    ended = _entry(moment, took_ms)
    return ended and Entry(ended.moment - took_ms / 1000, ended.service_s)


def _entry(moment: object, took_ms: object) -> Entry | None:
    service_s = took_ms / 1000 if isinstance(took_ms, int | float) else None
    if service_s is not None and not 0 <= service_s < inf:
        return None
    try:
        if isinstance(moment, int | float):
            return Entry(read_epoch(moment), service_s)
        return Entry(read_moment(moment, UTC), service_s) if isinstance(moment, str) else None
    except (ValueError, OverflowError):
        return None

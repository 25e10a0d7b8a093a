"""Lines of logs to requests; None for a line that is no request. Touches nothing.

Lambda says of each invocation when it ended and what it took, as text or as JSON ("Using Lambda advanced
logging controls", Lambda developer guide); CloudWatch has that, and our access log, as the text of a message.
"""

import json
import re
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any, NamedTuple

from preheat.warming.trace.moments import Moments

COMMON = re.compile(r'\S+ \S+ .+? \[(?P<moment>[^\]]+)\] "')
REPORT = re.compile(r"REPORT RequestId: \S+\s+Duration: (?P<ms>[\d.]+) ms")
"""What Lambda logs at the end of each invocation."""
PLATFORM = "platform."
"""How the types of what Lambda itself logs as JSON begin."""


class Entry(NamedTuple):
    """One request; `service_s` is what it took, where the log says so.

    `reported` marks an invocation that Lambda reports, whatever the function in it logs of it.
    """

    moment: float
    service_s: float | None
    reported: bool = False


def is_common(line: str) -> bool:
    """Whether a line has the Common or the Combined Log Format."""
    return COMMON.match(line) is not None


def common(lines: Iterator[str], moments: Moments) -> Iterator[Entry | None]:
    """Yield the requests of an access log."""
    for line in lines:
        if line.strip():
            found = COMMON.match(line)
            yield _entry(found["moment"], None, moments) if found else None


def events(lines: Iterator[str], moments: Moments) -> Iterator[Entry | None]:
    """Yield the requests of lines of JSON: our access log, or exported events."""
    for line in lines:
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            yield None
            continue
        yield event(document, moments) if isinstance(document, Mapping) else None


def exported(document: Any, moments: Moments) -> Iterator[Entry | None]:
    """Yield the requests of `aws logs filter-log-events`, or of a list of events."""
    found = document.get("events") if isinstance(document, Mapping) else document
    for each in found if isinstance(found, list) else ():
        yield event(each, moments) if isinstance(each, Mapping) else None


def event(document: Mapping[str, Any], moments: Moments) -> Entry | None:
    """Return one event as a request; the log of a function has others, which are none."""
    moment = document.get("timestamp", document.get("@timestamp", document.get("time")))
    if _is_known(document):
        return _known(document, moment, moments)
    message = document.get("message", document.get("@message"))
    if isinstance(message, str):
        return told(message, moment, moments)
    return _entry(moment, document.get("duration_ms"), moments)


def told(message: str, moment: object, moments: Moments) -> Entry | None:
    """Return the request that a message of CloudWatch tells of; `moment` is when it was logged."""
    if report := REPORT.search(message):
        return _ended(moment, float(report["ms"]), moments)
    if not message.startswith("{"):
        return None
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return _known(document, moment, moments) if _is_known(document) else None


def _is_known(document: Mapping[str, Any]) -> bool:
    """Say whether it is an event of ours, or one of Lambda's own."""
    return "event" in document or str(document.get("type")).startswith(PLATFORM)


def _known(document: Mapping[str, Any], moment: object, moments: Moments) -> Entry | None:
    moment = document.get("time", moment)
    if "event" in document:
        if document["event"] != "access" or "model_ms" not in document:
            return None  # it needed no worker
        return _entry(moment, document["model_ms"], moments)
    record = document.get("record")
    if document["type"] != f"{PLATFORM}report" or not isinstance(record, Mapping):
        return None
    metrics = record.get("metrics")
    return _ended(moment, metrics.get("durationMs") if isinstance(metrics, Mapping) else None, moments)


def _ended(moment: object, took_ms: object, moments: Moments) -> Entry | None:
    """Return an invocation that Lambda says ended at `moment`."""
    ended = _entry(moment, took_ms, moments)
    return ended and Entry(ended.moment - (ended.service_s or 0.0), ended.service_s, reported=True)


def _entry(moment: object, took_ms: object, moments: Moments) -> Entry | None:
    service_s = took_ms / 1000 if isinstance(took_ms, int | float) else None
    if service_s is not None and not 0 <= service_s < inf:
        return None
    try:
        return Entry(moments.read(moment), service_s) if isinstance(moment, str | int | float) else None
    except (ValueError, OverflowError):
        return None

"""Log groups of CloudWatch as events, oldest first, each line once. Reads the log groups."""

import heapq
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from preheat_providers._aws.errors import translated
from preheat_providers._aws.log_lines import event_of

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

RECENT_S = 24 * 3600.0
"""How far back `logs` looks: a log group holds weeks."""
FOLLOWED_S = 600.0
LATE_S = 60.0
"""How long after the newest line an older one may still come in: every environment sends its own."""
POLL_S = 2.0
"""FilterLogEvents takes 5 calls a second in the smallest regions:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""


class GroupLog:
    """One log group, or several as one. `now` is in seconds of the epoch."""

    def __init__(
        self,
        client: "CloudWatchLogsClient",
        *groups: str,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._groups = groups
        self._now = now
        self._sleep = sleep

    def recent(self) -> Iterator[dict[str, Any]]:
        """Yield the events of the last day."""
        yield from _events(self._lines(_ms(self._now() - RECENT_S)))

    def follow(self) -> Iterator[dict[str, Any]]:
        """Yield the events of the last minutes, and for ever those that come."""
        begin = _ms(self._now() - FOLLOWED_S)
        seen: dict[str, int] = {}
        while True:
            new = []
            for line in self._lines(begin):
                if _identity(line) not in seen:
                    seen[_identity(line)] = line["timestamp"]
                    new.append(line)
            yield from _events(iter(new))
            begin = max(begin, max(seen.values(), default=begin) - _ms(LATE_S))
            seen = {each: stamp for each, stamp in seen.items() if stamp >= begin}
            self._sleep(POLL_S)

    def matching(self, pattern: str, *, since_s: float, most: int) -> list[dict[str, Any]]:
        """Return up to `most` events of the last `since_s` seconds whose lines match `pattern`."""
        found: list[dict[str, Any]] = []
        for event in _events(self._lines(_ms(self._now() - since_s), pattern)):
            found.append(event)
            if len(found) >= most:
                break
        return found

    def _lines(self, begin: int, pattern: str | None = None) -> "Iterator[FilteredLogEventTypeDef]":
        groups = [self._lines_of(group, begin, pattern) for group in self._groups]
        return heapq.merge(*groups, key=lambda line: line["timestamp"])

    def _lines_of(self, group: str, begin: int, pattern: str | None) -> "Iterator[FilteredLogEventTypeDef]":
        pages = self._client.get_paginator("filter_log_events")
        wanted = {"filterPattern": pattern} if pattern else {}
        with translated(f"the log group {group} cannot be read"):
            for page in pages.paginate(logGroupName=group, startTime=begin, **wanted):  # type: ignore[arg-type]
                yield from page["events"]


def _events(lines: "Iterator[FilteredLogEventTypeDef]") -> Iterator[dict[str, Any]]:
    for line in lines:
        event = event_of(line["timestamp"], line["message"], line.get("logStreamName", ""))
        if event is not None:
            yield event


def _identity(line: "FilteredLogEventTypeDef") -> str:
    known = line.get("eventId")
    return known or f"{line.get('logStreamName')} {line['timestamp']} {line['message']}"


def _ms(seconds: float) -> int:
    return int(seconds * 1000)

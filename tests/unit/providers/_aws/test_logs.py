"""The log of a function, from a log group whose lines come late and twice."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

from preheat_providers._aws.logs import FOLLOWED_S, LATE_S, POLL_S, RECENT_S, GroupLog

NOW = 1_795_000_000.0


class Stopped(Exception):
    """Ends a follow, which has no end of its own."""


@dataclass
class LogGroup:
    """Stands for CloudWatch's client: `arrivals` is what comes in before each next look."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    arrivals: list[list[dict[str, Any]]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def get_paginator(self, operation: str) -> "LogGroup":
        assert operation == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(asked)
        found = [line for line in self.lines if line["timestamp"] >= asked["startTime"]]
        for line in sorted(found, key=lambda line: line["timestamp"]):
            yield {"events": [line]}

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if not self.arrivals:
            raise Stopped
        self.lines += self.arrivals.pop(0)

    def log(self) -> GroupLog:
        return GroupLog(cast("Any", self), "/preheat/ocr/dev", now=lambda: NOW, sleep=self.sleep)


def line(message: str, after_s: float = 0.0) -> dict[str, Any]:
    stamp = int((NOW + after_s) * 1000)
    return {"eventId": message, "timestamp": stamp, "message": message, "logStreamName": "s"}


def followed(group: LogGroup) -> list[str]:
    said: list[str] = []
    with suppress(Stopped):
        said.extend(event["message"] for event in group.log().follow())
    return said


def test_the_last_day_is_read_oldest_first() -> None:
    group = LogGroup([line("b", -5), line("a", -RECENT_S + 1), line("gone", -RECENT_S - 1)])
    assert [event["message"] for event in group.log().recent()] == ["a", "b"]


def test_following_shows_each_line_once() -> None:
    group = LogGroup([line("a", -2), line("b", -1)], arrivals=[[line("c", 1)], [], [line("d", 3)]])
    assert followed(group) == ["a", "b", "c", "d"]
    assert group.slept == [POLL_S] * 4


def test_lines_without_an_id_are_told_apart_by_what_they_say() -> None:
    lines = [line("a", -1), line("b", -1)]
    for each in lines:
        del each["eventId"]
    assert followed(LogGroup(lines, arrivals=[[]])) == ["a", "b"]


def test_following_shows_what_comes_late() -> None:
    group = LogGroup([line("new", 0)], arrivals=[[line("old", -LATE_S + 1)]])
    assert followed(group) == ["new", "old"]


def test_following_begins_with_what_was_just_said() -> None:
    group = LogGroup([line("just now", -FOLLOWED_S + 1), line("long ago", -FOLLOWED_S - 1)])
    assert followed(group) == ["just now"]


def test_following_asks_for_ever_less_of_the_past() -> None:
    group = LogGroup([line("a", 0)], arrivals=[[line("b", 500)], []])
    followed(group)
    begins = [asked["startTime"] for asked in group.asked]
    assert begins == [
        int(NOW - FOLLOWED_S) * 1000,
        int(NOW - LATE_S) * 1000,
        int(NOW + 500 - LATE_S) * 1000,
    ]


def test_a_line_is_shown_as_soon_as_its_page_is_there() -> None:
    group = LogGroup([line("a", -2), line("b", -1)])
    first = list(islice(group.log().recent(), 1))
    assert [event["message"] for event in first] == ["a"]


def test_a_search_is_for_a_pattern_and_ends() -> None:
    group = LogGroup([line(str(number), -number) for number in range(5)])
    found = group.log().matching("x", since_s=10, most=3)
    assert len(found) == 3
    assert group.asked[0]["filterPattern"] == "x"


def test_several_groups_are_one_log_in_the_order_of_time() -> None:
    lines = {"/a": [line("first", -9), line("third", -3)], "/b": [line("second", -5)]}

    class Groups:
        def get_paginator(self, name: str) -> Any:
            return self

        def paginate(self, *, logGroupName: str, startTime: int) -> list[Any]:
            return [{"events": lines[logGroupName]}]

    log = GroupLog(cast("Any", Groups()), "/a", "/b", now=lambda: NOW)
    assert [event["message"] for event in log.recent()] == ["first", "second", "third"]

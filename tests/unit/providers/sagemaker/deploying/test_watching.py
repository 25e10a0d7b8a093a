import json
from typing import Any, cast

from botocore.exceptions import ClientError

from preheat.progress import Event, Notice
from preheat_providers.sagemaker.deploying.watching import EVERY_S, LINES, Watch, said

NOW = 1_700_000_000.0
CRASH = json.dumps(
    {"level": "error", "message": "setup failed", "traceback": "Traceback\n  ...\nKeyError: 1"}
)


class Log:
    """A log group as boto3 gives it; None is one that is not there."""

    def __init__(self, lines: list[str] | None) -> None:
        self.lines = lines
        self.looks = 0

    def get_paginator(self, name: str) -> Any:
        assert name == "filter_log_events"
        return self

    def paginate(self, **_: Any) -> list[Any]:
        self.looks += 1
        if self.lines is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "Filter")
        events = [
            {"timestamp": int(NOW * 1000), "message": line, "eventId": str(number)}
            for number, line in enumerate(self.lines)
        ]
        return [{"events": events}]


def watch(log: Log, told: list[Event]) -> Watch:
    return Watch(cast("Any", log), "group", told.append, sleep=lambda seconds: None, now=lambda: NOW)


def test_the_log_is_read_every_now_and_then_and_each_error_told_once() -> None:
    told: list[Event] = []
    log = Log([CRASH, "a line of the handler", CRASH])
    watched = watch(log, told)
    for _ in range(int(3 * EVERY_S)):
        watched.sleep(1.0)
    assert log.looks == 3
    assert told == [Notice("apply", "the container: setup failed (KeyError: 1)")]
    assert watched.last_words == "\n  setup failed (KeyError: 1)"


def test_a_log_that_is_not_there_is_no_error() -> None:
    told: list[Event] = []
    watched = watch(Log(None), told)
    watched.look()
    assert (told, watched.last_words) == ([], "")


def test_only_the_last_errors_are_quoted() -> None:
    lines = [f'{{"level": "error", "message": "number {number}"}}' for number in range(LINES + 5)]
    watched = watch(Log(lines), [])
    watched.look()
    assert watched.last_words.count("\n") == LINES
    assert watched.last_words.endswith(f"number {LINES + 4}")


def test_what_the_message_says_already_is_not_said_twice() -> None:
    assert said({"message": "KeyError: 1", "traceback": "Traceback\nKeyError: 1"}) == "KeyError: 1"
    assert said({"event": "failed"}) == "failed"

import json
from typing import Any

import pytest

from preheat_providers._aws.log_lines import event_of

STAMP = 1_795_000_000_123
TIME = "2026-11-18T11:06:40.123Z"


def read(line: str | dict[str, Any]) -> dict[str, Any]:
    event = event_of(STAMP, line if isinstance(line, str) else json.dumps(line))
    assert event is not None
    assert event.pop("time") == TIME
    return event


def test_our_own_events_stay_as_they_are_at_the_time_that_cloudwatch_has() -> None:
    line = {"level": "info", "event": "ready", "message": "ocr: ready, 231 ms", "time": "x", "phases": [1]}
    assert read(line) == {
        "level": "info",
        "event": "ready",
        "message": "ocr: ready, 231 ms",
        "phases": [1],
    }


def test_a_line_of_powertools_loses_what_is_the_same_in_every_line() -> None:
    line = {
        "level": "ERROR",
        "location": "failed:70",
        "message": "s3://b/k: gone",
        "timestamp": "2026-11-21 09:00:00",
        "service": "ocr",
        "event": "delivery-failed",
        "request_id": "r",
    }
    assert read(line) == {
        "level": "error",
        "event": "delivery-failed",
        "message": "s3://b/k: gone",
        "request_id": "r",
    }


@pytest.mark.parametrize("line", ["hello", "  indented", '{"a": 1}', "[1, 2]", "{broken", '{"message": 4}'])
def test_what_a_handler_prints_is_shown_as_it_is(line: str) -> None:
    assert read(line + "\n") == {"level": "info", "event": "output", "message": line}


@pytest.mark.parametrize(
    "line",
    [
        "\n",
        "END RequestId: r",
        "INIT_START Runtime Version: python:3.13.v1",
        "RESTORE_START Runtime Version: python:3.13.v1",
        json.dumps({"_aws": {"Timestamp": 1}, "Deliveries": [1.0]}),
        json.dumps({"time": "t", "type": "platform.runtimeDone", "record": {"requestId": "r"}}),
    ],
)
def test_lines_without_news_are_left_out(line: str) -> None:
    assert event_of(STAMP, line) is None


def test_the_environments_of_a_function_are_told_apart() -> None:
    stream = "2026/11/21/preheat-ocr-dev[3]0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    event = event_of(STAMP, "x", stream)
    assert event is not None
    assert event["instance"] == "0a1b2c3d"


REPORT = (
    "REPORT RequestId: 8f507cfc\tDuration: 1.23 ms\tBilled Duration: 412 ms\tMemory Size: 512 MB\t"
    "Max Memory Used: 100 MB\tInit Duration: 410.52 ms\t"
)
REPORTED = {
    "level": "info",
    "event": "report",
    "request_id": "8f507cfc",
    "message": "1 ms, cold: init 411 ms, 100 MB used",
    "duration_ms": 1.23,
    "billed_ms": 412,
    "memory_mb": 512,
    "used_mb": 100,
    "init_ms": 410.52,
}


def test_a_report_says_how_long_it_took_and_whether_it_was_cold() -> None:
    assert read(REPORT) == REPORTED


def test_a_report_in_json_says_the_same() -> None:
    metrics = {
        "durationMs": 1.23,
        "billedDurationMs": 412,
        "memorySizeMB": 512,
        "maxMemoryUsedMB": 100,
        "initDurationMs": 410.52,
    }
    record = {"requestId": "8f507cfc", "status": "success", "metrics": metrics}
    assert read({"time": "t", "type": "platform.report", "record": record}) == REPORTED


def test_a_restored_snapshot_is_a_cold_start() -> None:
    event = read("RESTORE_REPORT Restore Duration: 580.4 ms")
    assert (event["event"], event["restore_ms"], event["message"]) == (
        "restore",
        580.4,
        "cold: restore 580 ms",
    )
    record = {"status": "success", "metrics": {"durationMs": 580.4}}
    assert read({"type": "platform.restoreReport", "record": record})["restore_ms"] == 580.4


def test_a_call_that_failed_says_why() -> None:
    event = read("REPORT RequestId: r\tDuration: 5 ms\tStatus: error\tError Type: Runtime.ExitError")
    assert (event["level"], event["reason"]) == ("error", "error Runtime.ExitError")
    record = {"requestId": "r", "status": "timeout", "metrics": {"durationMs": 3000.0}}
    assert read({"type": "platform.report", "record": record})["reason"] == "timeout"


def test_a_time_out_and_a_traceback_are_errors() -> None:
    timeout = read("2026-11-21T09:00:00.000Z 8f507cfc Task timed out after 3.00 seconds\n\n")
    assert (timeout["level"], timeout["event"], timeout["request_id"]) == ("error", "timeout", "8f507cfc")
    raised = read("[ERROR] ValueError: no\rTraceback (most recent call last):\r  File x")
    assert raised == {
        "level": "error",
        "event": "failed",
        "message": "ValueError: no",
        "traceback": "Traceback (most recent call last):\n  File x",
    }
    document = {
        "log_level": "ERROR",
        "errorMessage": "no",
        "errorType": "ValueError",
        "requestId": "r",
        "stackTrace": ["  File x\n", "  File y\n"],
    }
    assert read(document) == {
        "level": "error",
        "event": "failed",
        "message": "ValueError: no",
        "request_id": "r",
        "traceback": "  File x\n  File y\n",
    }


def test_a_start_says_which_release_answers() -> None:
    expected = {
        "level": "debug",
        "event": "start",
        "message": "event 8f507cfc",
        "request_id": "8f507cfc",
        "release": 3,
    }
    assert read("START RequestId: 8f507cfc Version: 3") == expected
    record = {"requestId": "8f507cfc", "version": "3"}
    assert read({"type": "platform.start", "record": record}) == expected
    assert "release" not in read("START RequestId: r Version: $LATEST")

"""Which lines of CloudWatch's logs are requests, and what they took."""

import json
from pathlib import Path

import pytest
from tests.fakes.traces import TEN, notes, read


def platform(moment: str, **metrics: float) -> dict[str, object]:
    """Return what Lambda logs of an invocation with LogFormat JSON, which our template sets."""
    record = {"requestId": "0af1", "metrics": metrics, "status": "success"}
    return {"time": moment, "type": "platform.report", "record": record}


def exported(*messages: object) -> str:
    """Return what `aws logs filter-log-events` prints for these messages, one a second."""
    events = [
        {"timestamp": (TEN + number) * 1000, "message": each if isinstance(each, str) else json.dumps(each)}
        for number, each in enumerate(messages)
    ]
    return json.dumps({"events": events}, indent=1)


def test_reports_of_lambda_in_json_count_like_those_in_text(file: Path) -> None:
    messages = [
        {"time": "2026-11-21T10:00:00.000Z", "type": "platform.start", "record": {"requestId": "0af1"}},
        {"timestamp": "2026-11-21T10:00:00.100Z", "level": "INFO", "message": "printed by the handler"},
        platform("2026-11-21T10:00:00.250Z", durationMs=250.0, billedDurationMs=251.0),
        platform("2026-11-21T10:00:09.500Z", durationMs=500.0),
        {"time": "2026-11-21T10:00:09.900Z", "type": "platform.report", "record": None},
        "{half a li",
    ]
    for text in (exported(*messages), "\n".join(json.dumps(each) for each in messages)):
        trace = read(file, text)
        assert (trace.start, list(trace.arrivals)) == (TEN, [0.0, 9.0])
        assert trace.services_s is not None
        assert list(trace.services_s) == [0.25, 0.5]
        assert "4 lines of trace.csv are no requests" in notes(trace)


ACCESS = {"time": "2026-11-21T10:00:00.000Z", "event": "access", "model_ms": 20.0}


def test_an_access_log_in_the_messages_of_cloudwatch_is_read(file: Path) -> None:
    later = ACCESS | {"time": "2026-11-21T10:00:03.000Z", "model_ms": 40.0}
    trace = read(file, exported(ACCESS, {"event": "worker-start"}, later))
    assert (trace.start, list(trace.arrivals)) == (TEN, [0.0, 3.0])
    assert trace.services_s is not None
    assert list(trace.services_s) == [0.02, 0.04]


def test_an_invocation_that_also_logs_its_request_counts_once(file: Path) -> None:
    reports = [platform(f"2026-11-21T10:00:0{second}.000Z", durationMs=1000.0) for second in (1, 5)]
    trace = read(file, exported(ACCESS, reports[0], ACCESS, reports[1]))
    assert list(trace.arrivals) == [0.0, 4.0]
    assert "2 lines of trace.csv are no requests" in notes(trace)


@pytest.mark.parametrize("head", ["@timestamp,@message,@logStream", "timestamp,message"])
def test_a_table_of_log_events_is_read_as_a_log(file: Path, head: str) -> None:
    report = "REPORT RequestId: 0af1  Duration: 250.00 ms"
    rows = [
        "2026-11-21 10:00:00.000,START RequestId: 0af1 Version: 1",
        "2026-11-21 10:00:00.250,END RequestId: 0af1",
        f'"2026-11-21 10:00:00.250","{report}"',
        f'"2026-11-21 10:00:09.250","{report}"',
        "2026-11-21 10:00:10.000",
    ]
    trace = read(file, "\n".join([head, *rows]))
    assert (trace.start, list(trace.arrivals)) == (TEN, [0.0, 9.0])
    assert trace.services_s is not None
    assert list(trace.services_s) == [0.25, 0.25]
    assert "3 lines of trace.csv are no requests" in notes(trace)
    assert "read as UTC" in notes(trace)

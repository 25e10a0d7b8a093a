import json
import logging
import select
from typing import Any

import pytest
from tests.fakes.patience import PATIENCE_S
from tests.fakes.sink import Sink

from preheat.runtime.access import LONGEST_ESCAPED, LONGEST_TEXT, AccessLog, AccessRecord, access_event

TRACE = "0af7651916cd43dd8448eb211c80319c"


def record(**overrides: Any) -> AccessRecord:
    known: dict[str, Any] = {
        "started": 1767312000.25,
        "request_id": "r1",
        "method": "POST",
        "route": "/invocations",
        "path": "/predict",
        "status": 200,
        "outcome": "ok",
        "bytes_in": 10,
        "bytes_out": 20,
        "total_ms": 5.12345,
        "queue_ms": 1.0,
        "model_ms": 3.0,
        "batch_size": 4,
        "cold": False,
        "release": "3",
        "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    }
    return AccessRecord(**(known | overrides))


def test_a_line_says_all_that_is_known_of_a_request() -> None:
    assert access_event(record()) == {
        "time": "2026-01-02T00:00:00.250Z",
        "level": "info",
        "event": "access",
        "message": "POST /predict 200",
        "request_id": "r1",
        "method": "POST",
        "route": "/invocations",
        "path": "/predict",
        "status": 200,
        "outcome": "ok",
        "bytes_in": 10,
        "bytes_out": 20,
        "total_ms": 5.123,
        "queue_ms": 1.0,
        "model_ms": 3.0,
        "batch_size": 4,
        "cold": False,
        "release": "3",
        "trace_id": TRACE,
    }


def test_what_does_not_apply_is_left_out() -> None:
    event = access_event(
        record(route=None, model_ms=0.0, batch_size=0, release=None, traceparent=None, status=None)
    )
    assert not {"queue_ms", "model_ms", "batch_size", "release", "trace_id", "cold"} & set(event)
    assert event["message"] == "POST /predict -"


@pytest.mark.parametrize("odd", ["", "00-xyz-1-01", f"00-{TRACE}-b7ad6b7169203331-01, 00-", "x" * 10_000])
def test_what_is_no_traceparent_is_no_trace(odd: str) -> None:
    assert "trace_id" not in access_event(record(traceparent=odd))


def test_what_a_caller_sends_cannot_break_a_line_or_a_terminal() -> None:
    sink = Sink()
    log = AccessLog(sink)
    log.add(record(path="/a\n{}\x1b[2J\u202e\ud800", method="G\rET"))
    assert log.close(30)
    [line] = b"".join(sink.written).splitlines()
    assert line.isascii()
    assert all(byte >= 0x20 for byte in line)
    assert sink.lines[0]["path"] == "/a\n{}\x1b[2J\u202e\ud800"


def test_what_a_caller_sends_has_a_bounded_length() -> None:
    event = access_event(record(path="/" + "x" * 100_000, method="M" * 100_000))
    assert len(event["path"]) <= LONGEST_TEXT + 3
    assert len(event["message"]) <= 2 * LONGEST_TEXT + 20


@pytest.mark.parametrize("letter", ["\U0001f600", "\x01", '"', "x"])
def test_a_line_is_short_enough_for_a_pipe_to_keep_it_whole(letter: str) -> None:
    sink, long = Sink(), letter * 100_000
    log = AccessLog(sink)
    log.add(record(path=long, method=long, request_id=long, release=long))
    assert log.close(PATIENCE_S)
    assert len(b"".join(sink.written)) < select.PIPE_BUF


def test_a_path_of_another_script_is_told_as_far_as_a_long_one_of_latin_letters() -> None:
    path = "/größe/" + "x" * (LONGEST_TEXT - 7)
    assert access_event(record(path=path))["path"] == path
    cut = access_event(record(path="/" + "\U0001f600" * 300))["path"]
    assert len(json.dumps(cut[:-3])) <= LONGEST_ESCAPED + 2
    assert cut.startswith("/" + "\U0001f600" * 41)


def test_lines_are_written_in_order_and_none_is_left_behind_at_the_end() -> None:
    sink = Sink()
    log = AccessLog(sink)
    for number in range(1000):
        log.add(record(request_id=str(number)))
    assert log.close(30)
    assert [line["request_id"] for line in sink.lines] == [str(number) for number in range(1000)]


def test_many_lines_are_written_at_once() -> None:
    sink = Sink()
    log = AccessLog(sink)
    for _ in range(64):
        log.add(record())
    assert log.close(30)
    assert len(sink.written) <= 4


def test_a_sink_that_does_not_take_lines_costs_lines_and_no_request_and_says_how_many() -> None:
    sink = Sink()
    sink.open.clear()
    log = AccessLog(sink, capacity=5)
    log.add(record(request_id="first"))
    assert sink.entered.wait(PATIENCE_S)
    for number in range(12):
        log.add(record(request_id=str(number)))
    sink.open.set()
    assert log.close(30)
    kept = [line["request_id"] for line in sink.lines if line["event"] == "access"]
    [told] = [line for line in sink.lines if line["event"] == "access-dropped"]
    assert kept == ["first", "0", "1", "2", "3", "4"]
    assert (told["level"], told["dropped"]) == ("warning", 7)


def test_lines_that_could_not_be_written_are_told_of_once_it_works_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = Sink()
    sink.errors = [OSError(28, "No space left on device")]
    sink.open.clear()
    log = AccessLog(sink)
    with caplog.at_level(logging.ERROR):
        log.add(record())
        assert sink.entered.wait(PATIENCE_S)
        log.add(record(request_id="after"))
        sink.open.set()
        assert log.close(30)
    assert "No space left" in caplog.text
    after, told = sink.lines
    assert (after["request_id"], told["dropped"]) == ("after", 1)


def test_closing_waits_no_longer_than_it_may() -> None:
    sink = Sink()
    sink.open.clear()
    log = AccessLog(sink)
    log.add(record())
    assert not log.close(0.05)
    sink.open.set()


def test_a_log_that_was_never_used_has_no_thread_to_end() -> None:
    assert AccessLog(Sink()).close(0)

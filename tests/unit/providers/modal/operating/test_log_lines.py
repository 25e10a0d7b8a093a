from modal_proto import api_pb2

from preheat_providers.modal.operating.log_lines import event_of, events_of

AT = 1_763_719_200.25


def test_our_own_line_is_the_event_with_the_platforms_time() -> None:
    line = '{"time": "2020-01-01T00:00:00Z", "level": "error", "event": "stuck", "message": "no", "n": 1}'
    assert event_of(line, AT, instance="ta-1") == {
        "time": "2025-11-21T10:00:00.250Z",
        "level": "error",
        "event": "stuck",
        "message": "no",
        "n": 1,
        "instance": "ta-1",
    }


def test_what_a_handler_prints_is_output() -> None:
    found = event_of("hello\n", AT)
    assert (found["level"], found["event"], found["message"]) == ("info", "output", "hello")


def test_a_line_on_standard_error_is_a_warning() -> None:
    assert event_of("UserWarning: old", AT, is_error=True)["level"] == "warning"


def test_json_that_is_no_event_is_output() -> None:
    for line in ('{"a": 1}', "{not json", "[1]", '{"message": 3}'):
        assert event_of(line, AT)["message"] == line


def test_an_unknown_level_is_info() -> None:
    assert event_of('{"level": "notice", "message": "x"}', AT)["level"] == "info"


def test_a_batch_is_its_lines_and_empty_ones_are_none() -> None:
    items = [
        api_pb2.TaskLogs(data="one\n\ntwo\n", timestamp=AT, file_descriptor=api_pb2.FILE_DESCRIPTOR_STDOUT),
        api_pb2.TaskLogs(timestamp=AT),
        api_pb2.TaskLogs(
            data="bad",
            timestamp_ns=int(AT * 1e9),
            file_descriptor=api_pb2.FILE_DESCRIPTOR_STDERR,
            container_id="ta-2",
        ),
    ]
    events = list(events_of(api_pb2.TaskLogsBatch(task_id="ta-1", items=items)))
    assert [(each["message"], each["instance"], each["level"]) for each in events] == [
        ("one", "ta-1", "info"),
        ("two", "ta-1", "info"),
        ("bad", "ta-2", "warning"),
    ]

"""What a function answers is the same everywhere, byte for byte."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fakes.functions import Functions

from preheat.interface.message import JSON_TYPE, PROBLEM_TYPE, Response
from preheat.provider.protocol import Provider


def problem(response: Response) -> dict[str, object]:
    document: dict[str, object] = json.loads(response.body)
    assert response.content_type == PROBLEM_TYPE
    assert document["status"] == response.status
    assert {"type", "title", "detail"} <= set(document)
    return document


def test_an_answer_is_compact_json_byte_for_byte(functions: Functions) -> None:
    value = '{"b": 1.0, "a": [1e-7, 123456789012345678, null, true], "ä": "日本 \\u0000 \\""}'
    response = functions.shared("echo").send(f'{{"value": {value}, "count": 2}}'.encode())
    compact = value.replace(": ", ":").replace(", ", ",")
    expected = f'{{"value":{compact},"count":2,"version":"first","greeting":"hello"}}'
    assert (response.status, response.content_type) == (200, JSON_TYPE)
    assert response.body.decode() == expected


def test_a_batch_gives_each_caller_its_own_answer(functions: Functions) -> None:
    function = functions.shared("batched")
    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(function.ask, range(24))) == [number * number for number in range(24)]


def test_bytes_go_in_and_out_as_they_are(functions: Functions) -> None:
    data = bytes(range(256)) * 50
    response = functions.shared("file").send(data, "application/x-thing")
    assert (response.status, response.content_type) == (200, "application/x-thing")
    assert response.body == data[::-1]


def test_a_file_may_be_asked_for_as_json(functions: Functions) -> None:
    response = functions.shared("file").send(b"ab", "text/plain", accept=JSON_TYPE)
    assert json.loads(response.body) == {"data": "YmE=", "media_type": "text/plain", "name": None}


def test_a_stream_is_json_lines_or_events(functions: Functions, provider: Provider) -> None:
    if not provider.capabilities.streaming:
        pytest.skip(f"{provider.name} says that it does not stream")
    function = functions.shared("stream")
    assert function.send(b"3").body == b"0\n1\n2\n"
    events = function.send(b"3", accept="text/event-stream")
    assert (events.content_type, events.body) == ("text/event-stream", b"data: 0\n\ndata: 1\n\ndata: 2\n\n")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [(b'{"value": 1, "count": "two"}', "/count"), (b"{}", ""), (b'{"value": 1, "other": 2}', "")],
)
def test_input_that_does_not_fit_is_pointed_at(functions: Functions, body: bytes, pointer: str) -> None:
    response = functions.shared("echo").send(body)
    assert response.status == 400
    errors = problem(response)["errors"]
    assert isinstance(errors, list)
    assert errors[0]["pointer"].startswith(pointer)


@pytest.mark.parametrize("body", [b"", b"{", b'{"value": NaN}', b'{"value": "\xff"}', b"[" * 5000])
def test_what_is_not_json_is_refused(functions: Functions, body: bytes) -> None:
    response = functions.shared("echo").send(body)
    problem(response)
    assert response.status == 400


def test_a_media_type_that_the_handler_does_not_read_is_refused(functions: Functions) -> None:
    response = functions.shared("echo").send(b"<x/>", "application/xml")
    assert response.status == 415
    assert JSON_TYPE in str(problem(response)["detail"])


def test_a_failure_in_predict_says_nothing_of_its_inside(functions: Functions) -> None:
    response = functions.shared("failing").send(b'"raise"')
    assert response.status == 500
    assert "hunter2" not in str(problem(response))
    assert "Traceback" not in str(problem(response))


def test_a_handler_may_refuse_an_input_in_its_own_words(functions: Functions) -> None:
    response = functions.shared("failing").send(b'"refuse"')
    assert (response.status, problem(response)["detail"]) == (400, "Not this one.")


def test_a_process_that_ends_in_predict_costs_one_answer_and_not_the_function(functions: Functions) -> None:
    function = functions.shared("failing")
    response = function.send(b'"exit"')
    assert response.status in (500, 502)
    problem(response)
    assert function.ask("again") == "again"


def test_a_request_that_takes_too_long_is_given_up(functions: Functions) -> None:
    function = functions.shared("failing")
    response = function.send(b'"sleep"', timeout_s=1.0)
    assert response.status == 504
    problem(response)


def test_the_request_after_one_that_took_too_long_is_answered(functions: Functions) -> None:
    function = functions.shared("failing")
    assert function.send(b'"sleep"', timeout_s=2.0).status == 504
    assert function.ask("again") == "again"

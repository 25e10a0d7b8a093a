import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from tests.fakes.lambda_events import REQUEST_ID, Context
from tests.fakes.lambda_function import function_of

import preheat
from preheat.interface.manifest import Limits
from preheat_providers.aws_lambda.shipped.function import Function
from preheat_providers.aws_lambda.shipped.looping import Loop
from preheat_providers.aws_lambda.shipped.shapes import REQUEST, WARM


class Turns(preheat.Handler):
    """Gives a file backwards; `!` asks for more than Lambda hands on."""

    def predict(self, file: preheat.File) -> preheat.File:
        return preheat.File(b"x" * 4_700_000 if file.data == b"!" else file.data[::-1], file.media_type)


class Greets(preheat.Handler):
    def predict(self, name: str) -> dict[str, str]:
        return {"hello": name}


class Unused(preheat.Handler):
    def predict(self, name: str) -> str:
        raise AssertionError("a call that keeps warm runs nothing")


def asked(function: Function, body: bytes, **fields: Any) -> dict[str, Any]:
    event = {REQUEST: {"body_base64": b64encode(body).decode(), **fields}}
    answer: dict[str, Any] = function.handle(event, Context())
    json.dumps(answer)
    return answer


def test_a_request_is_answered_with_its_bytes_and_their_type(loop: Loop) -> None:
    answer = asked(function_of(Turns, loop), b"\x00\xff", content_type="image/png", accept="image/png")
    assert b64decode(answer["body_base64"]) == b"\xff\x00"
    assert (answer["status"], answer["content_type"]) == (200, "image/png")


def test_json_is_what_a_request_has_unless_it_says_otherwise(loop: Loop) -> None:
    answer = asked(function_of(Greets, loop), b'"you"')
    assert json.loads(b64decode(answer["body_base64"])) == {"hello": "you"}
    assert answer["headers"]["x-request-id"] == REQUEST_ID
    assert float(answer["headers"]["x-preheat-model-ms"]) >= 0


def test_a_request_keeps_its_id_whatever_the_case_of_the_header(loop: Loop) -> None:
    answer = asked(function_of(Greets, loop), b"1", headers={"X-Request-Id": "mine"})
    assert json.loads(b64decode(answer["body_base64"]))["instance"] == "urn:preheat:request:mine"


def test_a_refusal_is_an_answer_too(loop: Loop) -> None:
    function = function_of(Greets, loop, limits=Limits(body_bytes=10))
    for body, status in ((b"{", 400), (b'"much too long"', 413)):
        answer = asked(function, body)
        assert (answer["status"], answer["content_type"]) == (status, "application/problem+json")
        assert json.loads(b64decode(answer["body_base64"]))["status"] == status


def test_a_body_that_was_packed_is_refused_and_not_guessed_at(loop: Loop) -> None:
    answer = asked(function_of(Greets, loop), b'"you"', headers={"Content-Encoding": "gzip"})
    assert answer["status"] == 415


@pytest.mark.parametrize("wrong", [None, {}, [], {"body_base64": "%"}, {"body_base64": "", "headers": 3}])
def test_what_is_no_request_is_refused_with_the_shape_of_one(loop: Loop, wrong: Any) -> None:
    answer = function_of(Greets, loop).handle({REQUEST: wrong}, Context())
    assert answer["status"] == 400
    assert "body_base64" in json.loads(b64decode(answer["body_base64"]))["detail"]


def test_an_answer_beyond_what_lambda_hands_on_is_a_problem(loop: Loop) -> None:
    answer = asked(function_of(Turns, loop), b"!", content_type="text/plain")
    assert answer["status"] == 500
    assert "has 4700000 bytes" in json.loads(b64decode(answer["body_base64"]))["detail"]


def test_a_request_takes_no_longer_than_is_left_of_the_event(loop: Loop) -> None:
    event = {REQUEST: {"body_base64": b64encode(b'"you"').decode()}}
    assert function_of(Greets, loop).handle(event, Context(left_ms=0))["status"] == 504


def test_a_call_that_keeps_warm_runs_nothing(loop: Loop) -> None:
    assert function_of(Unused, loop).handle({WARM: {}}, Context()) is None

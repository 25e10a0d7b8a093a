import json
from base64 import b64encode
from io import BytesIO
from typing import Any, ClassVar, cast

import pytest

from preheat.interface.message import Request, Response
from preheat_providers.aws_lambda.limits import REQUEST_BYTES
from preheat_providers.aws_lambda.operating.invoking import answer_of, ask, failure, request_event


class Unanswered:
    """Stands for the client where no call may be made."""


class Answering:
    """Stands for Lambda's client: every call is answered alike."""

    class exceptions:
        class ResourceNotFoundException(Exception):
            pass

        class TooManyRequestsException(Exception):
            response: ClassVar[Any] = {
                "Error": {"Message": "Rate exceeded"},
                "Reason": "ConcurrentLimit",
            }

    def __init__(self, payload: object, *, error: str | None = None, refuse: bool = False) -> None:
        self._payload = json.dumps(payload).encode()
        self._error = error
        self._refuse = refuse
        self.asked: dict[str, Any] = {}

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        if self._refuse:
            raise self.exceptions.TooManyRequestsException
        failed = {"FunctionError": self._error} if self._error else {}
        return {"StatusCode": 200, "Payload": BytesIO(self._payload), **failed}


def problem(response: Response) -> dict[str, Any]:
    assert response.content_type == "application/problem+json"
    found: dict[str, Any] = json.loads(response.body)
    return found


REQUEST = Request(body=b'"x"', id="abc", accept="text/plain", timeout_s=1.5, headers={"x-a": "b"})


def test_a_request_travels_whole_and_its_answer_comes_back_whole() -> None:
    answer = {
        "status": 201,
        "content_type": "text/plain",
        "headers": {"x-request-id": "abc"},
        "body_base64": b64encode(b"\x00hi").decode(),
    }
    client = Answering(answer)
    response = ask(cast("Any", client), "preheat-ocr-dev", REQUEST)
    assert (response.status, response.content_type, response.body) == (201, "text/plain", b"\x00hi")
    assert (client.asked["FunctionName"], client.asked["Qualifier"]) == ("preheat-ocr-dev", "live")
    assert json.loads(client.asked["Payload"]) == {
        "preheat-request": {
            "body_base64": b64encode(b'"x"').decode(),
            "content_type": "application/json",
            "accept": "text/plain",
            "headers": {"x-a": "b", "x-request-id": "abc", "x-preheat-timeout-s": "1.5"},
        }
    }
    assert answer_of(answer) == response


def test_a_body_that_lambda_does_not_take_is_not_sent() -> None:
    body = bytes(REQUEST_BYTES * 3 // 4)
    response = ask(cast("Any", Unanswered()), "f", Request(body=body, id="abc"))
    found = problem(response)
    assert (found["status"], found["instance"]) == (413, "urn:preheat:request:abc")
    assert f"Lambda takes {REQUEST_BYTES:,}" in found["detail"]


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"errorMessage": "2026-11-21T09:00:00Z abc Task timed out after 3.00 seconds"}, 504),
        ({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: abc Error: ..."}, 504),
        ({"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}, 502),
        ({"errorType": "Runtime.OutOfMemory", "errorMessage": "signal: killed"}, 502),
        ({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "too large"}, 500),
        ({}, 502),
    ],
)
def test_what_ended_a_call_is_a_problem_of_its_own(document: dict[str, Any], status: int) -> None:
    assert failure(document).status == status
    response = ask(cast("Any", Answering(document, error="Unhandled")), "f", REQUEST)
    assert problem(response)["status"] == status


def test_a_call_that_is_held_back_may_be_tried_again() -> None:
    response = ask(cast("Any", Answering({}, refuse=True)), "f", REQUEST)
    assert (problem(response)["status"], response.headers["retry-after"]) == (429, "1")
    assert "ConcurrentLimit" in problem(response)["detail"]


def test_an_event_has_no_time_limit_that_was_not_asked_for() -> None:
    headers = json.loads(request_event(Request(body=b"", id="abc")))["preheat-request"]["headers"]
    assert headers == {"x-request-id": "abc"}

import json

import pytest

from preheat_providers.sagemaker.front.failures import failure_document

PROBLEM = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": 'not "that"'}
SEE = "See https://eu-central-1.console.aws.amazon.com/cloudwatch in account 1 for more information."


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(PROBLEM),
        f'Received client error (400) from primary with message "{json.dumps(PROBLEM)}". {SEE}',
        f'Received client error (400) from model with message "{json.dumps(PROBLEM)}"',
        "ModelError: Received client error (400) from primary and could not load the entire response body"
        f' with message "{json.dumps(PROBLEM)}". {SEE}',
    ],
)
def test_the_problem_of_the_container_is_found_whatever_is_around_it(text: str) -> None:
    assert failure_document(text.encode(), "j") == PROBLEM


def test_a_problem_whose_quotes_were_escaped_is_found_too() -> None:
    plain = {**PROBLEM, "detail": "no"}
    escaped = json.dumps(plain).replace('"', '\\"')
    text = f'Received server error (500) from primary with message "{escaped}". {SEE}'
    assert failure_document(text.encode(), "j") == plain


def test_an_answer_that_is_no_problem_keeps_its_status_and_is_quoted() -> None:
    text = f'Received server error (503) from primary with message "<html>busy</html>". {SEE}'
    assert failure_document(text.encode(), "j") == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "<html>busy</html>",
        "instance": "urn:preheat:request:j",
    }


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (504, "ClientError: Your invocation timed out while waiting for a response from container primary."),
        (504, "The request expired after 60 s in the queue."),
        (404, "An error occurred (NoSuchKey) when calling GetObject"),
        (403, "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied"),
        (403, "An error occurred (403) when calling the HeadObject operation: Forbidden"),
        (502, "something else"),
        (502, '{"status": 200}'),
        (502, '["status"]'),
    ],
)
def test_what_sagemaker_says_itself_has_a_status_of_ours(status: int, text: str) -> None:
    document = failure_document(text.encode(), "j")
    assert (document["status"], document["detail"]) == (status, text)


def test_nothing_and_what_is_no_text_are_failures_as_well() -> None:
    assert failure_document(b"", "j")["detail"] == "SageMaker gives no reason."
    assert failure_document(b"\xff", "j")["status"] == 502


def test_a_long_text_is_cut() -> None:
    assert len(failure_document(b"x" * 9999, "j")["detail"]) == 2000

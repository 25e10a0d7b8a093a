import json
from base64 import b64decode
from typing import Any

import pytest
from tests.fakes.lambda_events import load_balancer, version_1, version_2

from preheat.interface.message import Response
from preheat_providers.aws_lambda.shipped.web.proxy import (
    LONGEST_ANSWER,
    answer_to,
    body_of,
    fitting,
    headers_of,
)

EVENT = version_2("/invocations", b"{}")


@pytest.mark.parametrize("make", [version_1, lambda path: load_balancer(path, multiple=True)])
def test_a_header_that_is_repeated_is_a_list(make: Any) -> None:
    event = make("/invocations")
    event["multiValueHeaders"]["X-Preheat-Tag"] = ["a", "b"]
    assert headers_of(event)["x-preheat-tag"] == "a, b"


@pytest.mark.parametrize("missing", ["body", "isBase64Encoded"])
def test_an_event_may_lack_its_body(missing: str) -> None:
    event = version_2("/invocations", None)
    del event[missing]
    assert body_of(event) == b""


@pytest.mark.parametrize(
    ("kind", "body", "base64"),
    [
        ("application/json", b"{}", False),
        ("application/problem+json", b"{}", False),
        ("text/csv; charset=utf-8", b"a,b", False),
        ("text/plain", b"\xff", True),
        ("application/x-ndjson", b"1\n", False),
        ("application/xml", b"<a/>", False),
        ("image/svg+xml", b"<svg/>", True),
        ("image/png", b"\x89PNG", True),
        ("image/png", b"", False),
    ],
)
def test_text_travels_as_text_and_the_rest_in_base64(kind: str, body: bytes, base64: bool) -> None:
    answer = answer_to(EVENT, Response(content_type=kind, body=body), "r1")
    assert answer["isBase64Encoded"] is base64
    assert (b64decode(answer["body"]) if base64 else answer["body"].encode()) == body


@pytest.mark.parametrize("kind", ["text/plain\r\nset-cookie: a=b", "text/pl\u00e4in", "text/plain\0"])
def test_a_type_that_could_end_a_header_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a header"):
        answer_to(EVENT, Response(content_type=kind), "r1")


def test_an_answer_fits_to_the_last_byte() -> None:
    answer = answer_to(EVENT, Response(), "r1")
    room = LONGEST_ANSWER - len(json.dumps(answer))
    assert fitting(EVENT, answer | {"body": "x" * room})["statusCode"] == 200
    refused = fitting(EVENT, answer | {"body": "x" * (room + 1)})
    assert refused["statusCode"] == 500
    assert json.loads(refused["body"])["instance"] == "urn:preheat:request:r1"


def test_an_answer_to_a_load_balancer_is_refused_in_its_own_form() -> None:
    event = load_balancer("/invocations", b"{}", multiple=True)
    answer = answer_to(event, Response(content_type="image/png", body=b"\xff" * 6_000_000), "r1")
    assert answer["multiValueHeaders"]["x-request-id"] == ["r1"]
    assert answer["statusCode"] == 500


def test_a_header_of_the_handler_never_replaces_how_the_answer_is_framed() -> None:
    headers = {"Content-Length": "1", "Connection": "close", "X-Tag": "a"}
    answer = answer_to(EVENT, Response(body=b"123", headers=headers), "r1")
    assert answer["headers"]["content-length"] == "3"
    assert "connection" not in answer["headers"]
    assert answer["headers"]["x-tag"] == "a"

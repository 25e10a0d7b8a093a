import hashlib
from typing import Any

import pytest
from tests.fakes.sagemaker.urls import ID, body_of, json_of, url_event

from preheat_providers.sagemaker.front.exchange import (
    REQUEST_BYTES,
    Asked,
    Refused,
    Reply,
    answered,
    check_body,
    check_token,
    read_event,
    reply,
    seconds,
)

TOKEN = "s3cret"
SHA256 = hashlib.sha256(TOKEN.encode()).hexdigest()


def asked(body: bytes = b"", /, **headers: str) -> Asked:
    return read_event(url_event("POST", "/jobs", body, **headers))


def test_headers_come_in_lower_case_and_a_slash_at_the_end_means_nothing() -> None:
    found = read_event(url_event("GET", "/jobs/", X_Request_Id="abc"))
    assert (found.path, found.headers["x-request-id"], found.id) == ("/jobs", "abc", "abc")


@pytest.mark.parametrize("given", ["", "two words", "x" * 129])
def test_a_request_id_that_is_none_is_lambdas(given: str) -> None:
    assert asked(x_request_id=given).id == ID


def test_text_comes_as_it_is_and_bytes_in_base64() -> None:
    event = url_event("POST", "/jobs") | {"body": "é"}
    assert read_event(event).body == "é".encode()
    assert asked(b"\x00\xff").body == b"\x00\xff"


@pytest.mark.parametrize("body", [b'{"a": "\xc3\xa9"}', b"\x89PNG\xff", b""])
def test_every_body_goes_out_as_it_was(body: bytes) -> None:
    assert body_of(reply(200, body)) == body


def test_what_is_refused_is_a_problem_that_names_the_request() -> None:
    def route(_: Asked) -> Reply:
        raise Refused(405, "no", allow="POST")

    answer = answered(url_event("GET", "/jobs"), route)
    assert answer["statusCode"] == 405
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert (answer["headers"]["allow"], answer["headers"]["x-request-id"]) == ("POST", ID)
    assert json_of(answer) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "no",
        "instance": f"urn:preheat:request:{ID}",
    }


@pytest.mark.parametrize(
    "given",
    [{}, {"authorization": TOKEN}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}],
)
def test_without_the_token_nothing_is_answered(given: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        check_token(asked(**given), SHA256)
    assert (caught.value.status, caught.value.headers) == (401, {"www-authenticate": "Bearer"})


def test_the_token_opens_and_none_is_asked_for_where_there_is_none() -> None:
    check_token(asked(authorization=f"bearer {TOKEN}"), SHA256)
    check_token(asked(), None)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (413, b"x" * (REQUEST_BYTES + 1), {}),
        (415, b"x", {"content_encoding": "gzip"}),
        (400, b"x", {"content_type": "text/é"}),
        (400, b"x", {"x_amzn_sagemaker_custom_attributes": "x" * 1025}),
    ],
)
def test_what_cannot_be_passed_on_is_refused(status: int, body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        check_body(asked(body, **headers))
    assert caught.value.status == status


@pytest.mark.parametrize("text", ["soon", "nan", "0", "-1", "inf"])
def test_a_time_is_a_number_of_seconds(text: str) -> None:
    with pytest.raises(Refused, match=text):
        seconds(asked(x_preheat_timeout_s=text), "x-preheat-timeout-s", 60)


def test_a_time_is_no_longer_than_the_most() -> None:
    found: list[Any] = [
        seconds(asked(x_preheat_timeout_s=text), "x-preheat-timeout-s", 60) for text in ("2.5", "99")
    ]
    assert found == [2.5, 60]
    assert seconds(asked(), "x-preheat-timeout-s", 60) is None
